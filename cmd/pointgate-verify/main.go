package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// app is the program; what it has of the world are fields, so that tests can be the world.
type app struct {
	out, errors io.Writer
	now         func() time.Time
	wait        func(time.Duration)
	transport   http.RoundTripper
	options     options
	trust       *trust
	report      *report
}

// options are the flags of all commands.
type options struct {
	keys, witnesses         list
	quorum                  int
	json, contiguous, whole bool
	log, checkpoint, from   string
	maxAge                  time.Duration
}

type list []string

func (l *list) String() string     { return fmt.Sprint(*l) }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// command is a line of the usage. It takes from least to most arguments.
type command struct {
	name, args, short string
	least, most       int
	flags             []string
	run               func(*app, []string) error
}

func commands() []command {
	return []command{
		{"proof", "FILE.tlog-proof", "a record is in the log", 1, 1, nil, (*app).proof},
		{"checkpoint", "FILE|URL", "a checkpoint is the log's", 1, 1, []string{"max-age"}, (*app).checkpoint},
		{"consistency", "OLD [NEW]", "NEW (FILE|URL; without it the log's own) continues OLD", 1, 2, []string{"log"}, (*app).consistency},
		{"export", "FILE.ndjson[.gz]", "the lines of an export are the log's (-: standard input)", 1, 1, []string{"checkpoint", "log", "contiguous", "whole"}, (*app).export},
		{"log", "", "all entries of the log lead to its checkpoint", 0, 0, []string{"log", "from"}, (*app).follow},
		{"mirror", "DIR", "the same, and keep checkpoint and tiles in DIR", 1, 1, []string{"log"}, (*app).mirror},
	}
}

func (o *options) bind(f *flag.FlagSet, extra []string) {
	f.Var(&o.keys, "key", "the log's `VKEY`, got from elsewhere than the log (repeat while keys change)")
	f.Var(&o.witnesses, "witness", "`VKEY` of a witness (may be repeated)")
	f.IntVar(&o.quorum, "witnesses", 0, "how many of them must have cosigned (default all)")
	f.BoolVar(&o.json, "json", false, "answer in JSON")
	for _, name := range extra {
		switch name {
		case "log":
			f.StringVar(&o.log, "log", "", "the log: `URL` (https://host/audit) or a mirrored folder")
		case "checkpoint":
			f.StringVar(&o.checkpoint, "checkpoint", "", "the checkpoint to check against: `FILE` or URL")
		case "contiguous":
			f.BoolVar(&o.contiguous, "contiguous", false, "no index may be missing between the first and the last line")
		case "whole":
			f.BoolVar(&o.whole, "whole", false, "no index may be missing up to the checkpoint's size (always so without --log)")
		case "from":
			f.StringVar(&o.from, "from", "", "a checkpoint `FILE` that was checked before: begin behind it, and check that it is continued")
		case "max-age":
			f.DurationVar(&o.maxAge, "max-age", 0, "how old it may be, e.g. 1h (default any age)")
		}
	}
}

func main() {
	a := app{out: os.Stdout, errors: os.Stderr, now: time.Now, wait: time.Sleep, transport: http.DefaultTransport}
	os.Exit(a.run(os.Args[1:]))
}

const usageText = "usage: pointgate-verify COMMAND --key VKEY [flags] …\n"

// run is the program; it returns the exit code.
func (a app) run(args []string) int {
	if len(args) > 0 {
		for _, c := range commands() {
			if c.name == args[0] {
				return a.do(c, args[1:])
			}
		}
	}
	fmt.Fprint(a.errors, usageText)
	for _, c := range commands() {
		fmt.Fprintf(a.errors, "  %-11s %-17s %s\n", c.name, c.args, c.short)
	}
	if len(args) > 0 && (args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
		return 0
	}
	return 2
}

// do runs one command. Flags may stand before, between and behind the arguments.
func (a app) do(c command, args []string) int {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(a.errors)
	f.Usage = func() {
		fmt.Fprintf(a.errors, "usage: pointgate-verify %s --key VKEY [flags] %s\n", c.name, c.args)
		f.PrintDefaults()
	}
	a.options.bind(f, c.flags)
	var plain []string
	for rest := args; ; rest = f.Args()[1:] {
		if err := f.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return 0
		} else if err != nil {
			return 2
		}
		if f.NArg() == 0 {
			break
		}
		plain = append(plain, f.Arg(0))
	}
	if len(plain) < c.least || len(plain) > c.most {
		f.Usage()
		return 2
	}
	a.report = &report{w: a.out, json: a.options.json}
	err := a.prepare(c.flags)
	if err == nil {
		err = c.run(&a, plain)
	}
	return a.report.close(err, a.errors)
}

func (a *app) prepare(flags []string) (err error) {
	o := a.options
	a.trust, err = newTrust(o.keys, o.witnesses, o.quorum)
	if err != nil {
		return err
	}
	for _, name := range flags {
		if name == "checkpoint" && o.checkpoint == "" {
			return errors.New("--checkpoint is missing: FILE or URL of a checkpoint of this log")
		}
		if name == "log" && o.log == "" && !(len(flags) > 1 && flags[0] == "checkpoint") {
			return errors.New("--log is missing: URL of the log, or a folder that mirrors it")
		}
	}
	return nil
}
