package harness

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// Record is what the tests look at in the record of a decision.
type Record struct {
	ID    string `json:"decision_id"`
	Input struct {
		Subject struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"subject"`
		Action struct {
			Name string `json:"name"`
		} `json:"action"`
		Resource struct {
			ID string `json:"id"`
		} `json:"resource"`
		Context struct {
			Client struct {
				ID string `json:"id"`
			} `json:"client"`
			Request struct {
				ID string `json:"id"`
			} `json:"request"`
		} `json:"context"`
	} `json:"input"`
	Result struct {
		Allow bool   `json:"allow"`
		Code  string `json:"code"`
	} `json:"result"`
	Custom struct {
		Index  int64 `json:"index"`
		Status int   `json:"status"`
	} `json:"custom"`
}

// Decision is the record of a decision of the tenant demo.
func (s *Server) Decision(id string) (*Record, error) {
	return s.DecisionAt(false, s.Demo.AdminToken, id)
}

// DecisionAt is the record of a decision of either tenant, read with a token of it.
func (s *Server) DecisionAt(other bool, token, id string) (*Record, error) {
	a, err := s.Get(s.Base(other)+"/admin/api/decisions/"+url.PathEscape(id), token)
	if err != nil {
		return nil, err
	}
	if a.Status != 200 {
		return nil, fmt.Errorf("no record of %q: %s", id, a)
	}
	r := new(Record)
	return r, a.Decode(r)
}

// Decisions are all records of the tenant demo that match the filters, newest first.
func (s *Server) Decisions(filters url.Values) ([]Record, error) {
	return List[Record](s, "/admin/api/decisions", s.Demo.AdminToken, filters)
}

// List reads all pages of a list.
func List[T any](s *Server, path, token string, filters url.Values) ([]T, error) {
	q := url.Values{}
	for name, values := range filters {
		q[name] = values
	}
	q.Set("limit", strconv.Itoa(200))
	var all []T
	for {
		a, err := s.Get(path+"?"+q.Encode(), token)
		if err != nil {
			return nil, err
		}
		var page struct {
			Data []json.RawMessage `json:"data"`
			Next *string           `json:"next_cursor"`
		}
		if a.Status != 200 {
			return nil, fmt.Errorf("%s: %s", path, a)
		}
		if err := a.Decode(&page); err != nil {
			return nil, err
		}
		for _, raw := range page.Data {
			var one T
			if err := json.Unmarshal(raw, &one); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		if page.Next == nil {
			return all, nil
		}
		q.Set("cursor", *page.Next)
	}
}
