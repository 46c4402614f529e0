package harness

import (
	"bytes"
	"net/url"

	"golang.org/x/net/html"
)

// Form is a form of a page, as a browser would send it untouched.
type Form struct {
	Action string
	Method string
	Fields url.Values // hidden fields, ticked boxes, empty inputs
}

// Forms are the forms of an HTML page, in its order.
func Forms(page []byte) ([]Form, error) {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	var forms []Form
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			forms = append(forms, Form{Action: attr(n, "action"), Method: attr(n, "method"), Fields: fields(n)})
		}
	}
	return forms, nil
}

func fields(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" || attr(n, "name") == "" {
			continue
		}
		switch attr(n, "type") {
		case "submit", "button":
		case "checkbox", "radio":
			if has(n, "checked") {
				values.Add(attr(n, "name"), attr(n, "value"))
			}
		default:
			values.Add(attr(n, "name"), attr(n, "value"))
		}
	}
	return values
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
