package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// exportOptions are the flags beside the filters.
type exportOptions struct {
	format, out  string
	whole, alone bool
	from, to     int64
}

func (c *auditCommand) export() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write the records to a file, one JSON object on each line, oldest first", Args: cobra.NoArgs,
		Long: `Write the records of the tenant, oldest first, one JSON object on each line
(NDJSON): as OPA writes its decision logs, or as API Activities of OCSF 1.8.

With --out the file appears only when it is whole, compressed if its name ends in
.gz. In OPA's format it ends at a checkpoint made after the command began, which
is written beside it: pointgate-verify checks the one by the other. With --whole
every index of the log is there, of other tenants' records only their places, so
that pointgate-verify needs nothing else to see that none is missing.

What breaks off on its way is no export: the exit code is 3.`,
	}
	filters := bindMembers(cmd, append([]member{
		{"since", "from", past, 0, "not before: a time, or a span back such as 24h"},
		{"until", "to", past, 0, "before: a time, or a span back such as 1h"},
		{"id", "q", text, 0, "whose id begins with this"},
	}, decisionFilters...), 0)
	var o exportOptions
	cmd.Flags().StringVar(&o.format, "format", "opa", "opa or ocsf")
	cmd.Flags().StringVar(&o.out, "out", "", "file to write; .gz compresses it (default: standard output)")
	cmd.Flags().BoolVar(&o.whole, "whole", false, "every index of the log")
	cmd.Flags().BoolVar(&o.alone, "no-checkpoint", false, "with --out: without the checkpoint beside it")
	cmd.Flags().Int64Var(&o.from, "from-index", 0, "the first index")
	cmd.Flags().Int64Var(&o.to, "to-index", -1, "the index behind the last (default: the end of the log)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := query(cmd, filters)
		if err == nil {
			err = o.check(q)
		}
		if err != nil {
			return err
		}
		if err := o.free(); err != nil {
			return err
		}
		a, err := c.begin()
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return (&exporter{cmd: cmd, api: a, options: &o, query: q}).run(ctx)
	}
	return cmd
}

// free refuses to write over what is there: a kept checkpoint is evidence.
func (o *exportOptions) free() error {
	names := []string{o.out}
	if o.format == "opa" && !o.alone {
		names = append(names, o.out+".checkpoint")
	}
	for _, name := range names {
		if o.out == "" {
			return nil
		}
		if _, err := os.Lstat(name); err == nil {
			return usage("--out: %s is there already: choose another name, or remove it", name)
		}
	}
	return nil
}

func (o *exportOptions) check(q url.Values) error {
	switch {
	case o.format != "opa" && o.format != "ocsf":
		return usage("--format: want opa or ocsf")
	case o.whole && o.format != "opa":
		return usage("--whole is for --format opa: a place without a record is no activity")
	case o.whole && len(q) > 0:
		return usage("--whole leaves nothing out: it goes with --from-index and --to-index alone")
	case o.from < 0 || o.to < -1:
		return usage("--from-index and --to-index: want 0 or more")
	}
	if o.whole {
		q.Set("whole", "true")
	}
	if o.from > 0 {
		q.Set("from_index", strconv.FormatInt(o.from, 10))
	}
	return nil
}

// exporter is one export.
type exporter struct {
	cmd     *cobra.Command
	api     *api
	options *exportOptions
	query   url.Values
}

func (x *exporter) run(ctx context.Context) (err error) {
	o := x.options
	note, end := []byte(nil), o.to
	if o.out != "" && o.format == "opa" && !o.alone {
		size, raw, err := x.checkpoint(ctx)
		if err != nil {
			return err
		}
		note = raw
		if end < 0 || end > size {
			end = size
		}
	}
	if end >= 0 {
		x.query.Set("to_index", strconv.FormatInt(end, 10))
	}
	if o.out == "" {
		w := bufio.NewWriterSize(x.cmd.OutOrStdout(), 64<<10)
		return errors.Join(x.stream(ctx, w), w.Flush())
	}
	if err := x.toFile(ctx, o.out); err != nil {
		return err
	}
	if note == nil {
		return nil
	}
	return writeWhole(o.out+".checkpoint", func(w io.Writer) error { _, err := w.Write(note); return err })
}

// freshWait is how long the next checkpoint may take; one is made each second.
const freshWait = 5 * time.Second

// checkpoint is one that was made after the call, so that it covers what was
// there before. Where none comes, the newest has to do.
func (x *exporter) checkpoint(ctx context.Context) (size int64, note []byte, err error) {
	var first []byte
	for began := time.Now(); ; {
		r, err := x.api.call(ctx, http.MethodGet, "/audit/checkpoint", nil, nil)
		if err != nil {
			return 0, nil, err
		}
		if first == nil {
			first = r.body
		}
		late := time.Since(began) > freshWait
		if !bytes.Equal(first, r.body) || late {
			if late {
				fmt.Fprintln(x.cmd.ErrOrStderr(), "no new checkpoint was made: the export ends at the newest")
			}
			lines := strings.SplitN(string(r.body), "\n", 3) // origin, size, the rest
			if len(lines) == 3 {
				if size, err = strconv.ParseInt(lines[1], 10, 64); err == nil && size >= 0 {
					return size, r.body, nil
				}
			}
			return 0, nil, refused("the server's checkpoint can't be read")
		}
		select {
		case <-ctx.Done():
			return 0, nil, refused("%w", ctx.Err())
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (x *exporter) toFile(ctx context.Context, name string) error {
	return writeWhole(name, func(w io.Writer) error {
		if !strings.HasSuffix(name, ".gz") {
			return x.stream(ctx, w)
		}
		z := gzip.NewWriter(w)
		if err := x.stream(ctx, z); err != nil {
			return err
		}
		return z.Close()
	})
}

// writeWhole makes a file that only its owner reads, and that has its name only
// when it is whole and on the disk.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return usage("--out: %v", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriterSize(f, 256<<10)
	if err = write(w); err != nil {
		return err
	}
	if err = errors.Join(w.Flush(), f.Sync()); err != nil {
		return refused("%w", err)
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return refused("%w", err)
	}
	return f.Close()
}

// longestLine bounds what is held of an answer.
const longestLine = 4 << 20

// stream writes the lines as they come, and says whether that was all of them.
func (x *exporter) stream(ctx context.Context, w io.Writer) error {
	req, err := x.api.request(ctx, http.MethodGet, "/decisions/export", x.query, nil)
	if err != nil {
		return refused("%v", err)
	}
	client := *x.api.http
	client.Timeout = 0 // it takes as long as it takes
	res, err := client.Do(req)
	if err != nil {
		return refused("%s can't be reached: %w", x.api.url, errors.Unwrap(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(res.Body, maxReply))
		return problem(res.StatusCode, raw)
	}
	c, err := newLineCheck(res.Header, x.options)
	if err != nil {
		return err
	}
	show := progress(x.cmd.ErrOrStderr(), "exporting")
	r := bufio.NewReaderSize(res.Body, 256<<10)
	for {
		line, err := readLineOf(r)
		if errors.Is(err, io.EOF) {
			return c.end()
		}
		if err != nil {
			return refused("the export broke off: %w", err)
		}
		if err := c.line(line); err != nil {
			return err
		}
		if show != nil {
			show(c.last+1-x.options.from, c.want+1-x.options.from)
		}
		if err := x.write(w, line); err != nil {
			return err
		}
	}
}

func (x *exporter) write(w io.Writer, line []byte) (err error) {
	if x.options.format == "ocsf" {
		if line, err = toOCSF(line); err != nil {
			return err
		}
		line = append(line, '\n')
	}
	if _, err = w.Write(line); err != nil {
		return refused("%w", err)
	}
	return nil
}

// readLineOf is the next line with its end; io.EOF only between lines.
func readLineOf(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > longestLine:
			return nil, errors.New("a line is too long")
		}
	}
}

// lineCheck sees that an export is whole: its lines go up to the one that the
// server has announced, and none is missing where none may be.
type lineCheck struct {
	want, last int64 // -1: none
	whole      bool
}

func newLineCheck(h http.Header, o *exportOptions) (*lineCheck, error) {
	c := &lineCheck{want: -1, last: -1, whole: o.whole}
	if h.Get("X-Log-Size") == "" {
		return nil, refused("the server answered, but not as Pointgate does")
	}
	if s := h.Get("X-Export-Last"); s != "" {
		var err error
		if c.want, err = strconv.ParseInt(s, 10, 64); err != nil || c.want < 0 {
			return nil, refused("the server answered, but not as Pointgate does")
		}
	}
	if c.whole {
		c.last = o.from - 1
		c.want = max(c.want, c.last)
	}
	return c, nil
}

// line takes the next one. The index is the last member of that name: what
// stands behind it is base64.
func (c *lineCheck) line(b []byte) error {
	const name = `,"index":`
	i := bytes.LastIndex(b, []byte(name))
	if i < 0 {
		return refused("a record without an index: %.100q", b)
	}
	digits, _, _ := bytes.Cut(b[i+len(name):], []byte(","))
	index, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return refused("a record without an index: %.100q", b)
	}
	if index <= c.last || (c.whole && index != c.last+1) {
		return refused("the export is broken: index %d follows %d", index, c.last)
	}
	c.last = index
	return nil
}

func (c *lineCheck) end() error {
	if c.last != c.want {
		return refused("the export broke off: it ends at index %d, and should at %d", c.last, c.want)
	}
	return nil
}
