package mail_test

import (
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/server/mail"
	"github.com/pointgate/pointgate/store"
)

// read takes a message apart as a mail program would.
func read(t *testing.T, raw string) (header netmail.Header, subject, body string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, subject, strings.ReplaceAll(string(text), "\r\n", "\n")
}

// toFile sends a mail to a file and returns it.
func toFile(t *testing.T, m *store.Mail) (string, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mail")
	f, err := mail.NewFiles(dir, sender(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), m); err != nil {
		return "", err
	}
	raw, err := os.ReadFile(filepath.Join(dir, m.ID+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), nil
}

func TestAMessageIsPlainText(t *testing.T) {
	m := aMail()
	m.Subject, m.Body = "Grüße: 3 alerts", "Für alle.\n.\n"+strings.Repeat("long ", 400)+"\nFrom here\n"
	raw, err := toFile(t, m)
	if err != nil {
		t.Fatal(err)
	}
	header, subject, body := read(t, raw)
	if subject != m.Subject || body != m.Body {
		t.Errorf("subject %q, body %q", subject, body)
	}
	got := map[string]string{}
	for name := range header {
		got[name] = header.Get(name)
	}
	delete(got, "Subject")
	want := map[string]string{
		"From": `"Pointgate" <pointgate@demo.example>`, "To": "<security@demo.example>", "Message-Id": "<mail_1@demo.example>",
		"Date": "Fri, 02 Jan 2026 03:04:05 +0000", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0",
		"Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "quoted-printable",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(raw) {
		if len(line) > 998+2 {
			t.Errorf("a line of %d", len(line))
		}
	}
	again, err := toFile(t, m)
	if err != nil || again != raw {
		t.Errorf("sent again, it is another: %v\n%s", err, cmp.Diff(raw, again))
	}
}

// FuzzNothingGetsIntoTheHeader: whatever is in an alert, the message has the
// headers that it always has, and one recipient.
func FuzzNothingGetsIntoTheHeader(f *testing.F) {
	for _, s := range []string{
		"x\r\nBcc: evil@evil.example", "x\nBcc: evil@evil.example\n\nbody", "\x00\x7f\u202e\u2028", "=?utf-8?q?a=0D=0ABcc:_e@e.e?=",
		"\r\n.\r\nMAIL FROM:<x>\r\n", strings.Repeat("ü", 1000), "\xff\xfe", "", " ", "x\r\n y", "a\u0085b",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, subject, body string) {
		m := aMail()
		m.Subject, m.Body = subject, body
		raw, err := toFile(t, m)
		if err != nil {
			t.Fatal(err)
		}
		header, got, text := read(t, raw)
		if len(header) != 9 || header.Get("To") != "<security@demo.example>" || header.Get("Bcc") != "" {
			t.Errorf("the header is %v", header)
		}
		if strings.ContainsAny(got, "\r\n\x00\u202e") || strings.ContainsAny(text, "\r\x00\u202e") {
			t.Errorf("subject %q, body %q", got, text)
		}
	})
}

func TestWhatCantBeAMailIsNone(t *testing.T) {
	for name, edit := range map[string]func(m *store.Mail){
		"two recipients":        func(m *store.Mail) { m.Recipient = "a@demo.example, b@demo.example" },
		"a recipient with more": func(m *store.Mail) { m.Recipient = "a@demo.example\r\nDATA" },
		"no recipient":          func(m *store.Mail) { m.Recipient = "" },
		"an id with a path":     func(m *store.Mail) { m.ID = "../mail" },
		"an id with a header":   func(m *store.Mail) { m.ID = "x>\r\nBcc: a@b.example" },
		"no id":                 func(m *store.Mail) { m.ID = "" },
	} {
		t.Run(name, func(t *testing.T) {
			m := aMail()
			edit(m)
			if raw, err := toFile(t, m); err == nil {
				t.Errorf("it is sent:\n%s", raw)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for text, ok := range map[string]bool{
		"a@demo.example": true, "a.b+c@x.demo.example": true, "root@localhost": true,
		"": false, "a": false, "a@": false, "@b": false, "A <a@demo.example>": false, "a@b c": false, "a@demo.example\n": false,
		"ä@demo.example": false, `"a b"@demo.example`: false, "a@b,c@d": false, strings.Repeat("a", 250) + "@b.example": false,
	} {
		if _, err := mail.Address(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"Pointgate <p@demo.example>": `"Pointgate" <p@demo.example>`, "p@demo.example": "<p@demo.example>", "nobody": "", "a@b, c@d": "",
	} {
		from, err := mail.Sender(text)
		if got := map[bool]string{true: ""}[err != nil]; err == nil && from.String() != want || err != nil && got != want {
			t.Errorf("%q: %v, %v", text, from, err)
		}
	}
}

func TestFilesAreForTheirOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	f, err := mail.NewFiles(dir, sender(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Send(t.Context(), aMail()); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "mail_1.eml"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}
