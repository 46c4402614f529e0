package main

import (
	"encoding/json"
	"strings"
	"time"
)

// The class of the Open Cybersecurity Schema Framework that a record becomes.
const (
	ocsfVersion  = "1.8.0"
	ocsfCategory = 6    // Application Activity
	ocsfClass    = 6003 // API Activity
)

// enum is a number of OCSF with its caption.
type enum struct {
	id      int
	caption string
}

// activityOther is named by the source.
const activityOther = 99

var (
	activityUnknown = enum{0, "Unknown"}
	activityCreate  = enum{1, "Create"}
	activityRead    = enum{2, "Read"}
	activityUpdate  = enum{3, "Update"}
	activityDelete  = enum{4, "Delete"}
)

// activities are by the verb of the action; a verb that is not here is Other (99)
// under its own name.
var activities = map[string]enum{
	"list": activityRead, "read": activityRead, "history": activityRead, "export": activityRead, "prove": activityRead, "explain": activityRead, "count": activityRead,
	"introspect": activityRead,
	"create":     activityCreate, "earn": activityCreate, "hold": activityCreate, "issue": activityCreate, "transfer": activityCreate, "offer": activityCreate,
	"grant": activityCreate, "exchange": activityCreate, "authorize": activityCreate, "push": activityCreate, "register": activityCreate, "refresh": activityUpdate,
	"update": activityUpdate, "adjust": activityUpdate, "redeem": activityUpdate, "capture": activityUpdate, "release": activityUpdate,
	"reverse": activityUpdate, "expire": activityUpdate, "rotate": activityUpdate, "move": activityUpdate, "change": activityUpdate,
	"delete": activityDelete, "revoke": activityDelete, "retain": activityDelete, "destroy": activityDelete,
}

// userTypes are the account types of OCSF by the type of the subject.
var userTypes = map[string]enum{
	"customer": {1, "User"}, "staff": {2, "Admin"}, "system": {3, "System"}, "client": {4, "Service"},
}

// opaEvent is an event of OPA that is taken apart: what was taken is mapped, and
// what stays is not.
type opaEvent map[string]any

// take removes a member, by names joined by dots, and returns its value.
func (e opaEvent) take(path string) any {
	m, name := map[string]any(e), path
	for {
		first, rest, deeper := strings.Cut(name, ".")
		if !deeper {
			v := m[name]
			delete(m, name)
			return v
		}
		m, _ = m[first].(map[string]any)
		if m == nil {
			return nil
		}
		name = rest
	}
}

func (e opaEvent) text(path string) string {
	s, _ := e.take(path).(string)
	return s
}

// toOCSF makes an API Activity of an event.
func toOCSF(raw []byte) ([]byte, error) {
	object, err := decode(raw)
	if err != nil {
		return nil, err
	}
	e := opaEvent(object)
	_, gone := e["erased"].([]any)
	gone = gone && e["input"] == nil && e["result"] == nil
	o := e.outcome(gone)
	out := map[string]any{
		"category_uid": ocsfCategory, "category_name": "Application Activity", "class_uid": ocsfClass, "class_name": "API Activity",
		"metadata": e.metadata(o), "message": o.message(),
	}
	set := func(name string, v enum) { out[name+"_id"], out[captions[name]] = v.id, v.caption }
	set("activity", o.activity)
	kind := o.activity.caption
	if o.activity.id == activityOther {
		kind = "Other"
	}
	out["type_uid"], out["type_name"] = ocsfClass*100+o.activity.id, "API Activity: "+kind
	set("severity", o.severity)
	set("status", o.state)
	set("action", o.verdict)
	set("disposition", o.disposition)
	put(out, "status_code", o.code)
	put(out, "status_detail", o.detail)
	if t, err := time.Parse(time.RFC3339Nano, e.text("timestamp")); err == nil {
		out["time"] = t.UnixMilli()
	} else {
		return nil, refused("a record has no time: %w", err)
	}
	request := e.text("input.context.request.id")
	out["actor"], out["src_endpoint"] = e.actor(o, gone), e.source()
	out["api"] = api6003(o, request)
	e.http(out, o, request)
	e.resources(out)
	if trace := e.text("trace_id"); trace != "" {
		out["trace"] = map[string]any{"uid": trace}
	}
	if rest := pruned(e); rest != nil {
		out["unmapped"] = rest
	}
	return json.Marshal(out)
}

// captions are the names of the members beside the numbers.
var captions = map[string]string{
	"activity": "activity_name", "severity": "severity", "status": "status", "action": "action", "disposition": "disposition",
}

func put(out map[string]any, name, value string) {
	if value != "" {
		out[name] = value
	}
}

// ocsfOutcome is what came of a request, in the words of OCSF.
type ocsfOutcome struct {
	action, code, detail string
	status               int64
	allow                bool

	activity, severity, state, verdict, disposition enum
}

func (o *ocsfOutcome) message() string {
	switch {
	case o.action == "":
		return "an erased record"
	case o.allow:
		return o.action + ": " + o.code
	}
	return o.action + " refused: " + o.code
}

func (e opaEvent) outcome(gone bool) *ocsfOutcome {
	o := &ocsfOutcome{action: e.text("input.action.name"), code: e.text("custom.code")}
	path := e.text("path")
	if o.action == "" {
		o.action = strings.TrimPrefix(path, "pointgate/") // an event without an input
	}
	if n, ok := e.take("custom.status").(json.Number); ok {
		o.status, _ = n.Int64()
	}
	o.allow, _ = e.take("result.allow").(bool)
	if reasons, _ := at(e, "result.reasons").([]any); len(reasons) > 0 {
		if first, ok := reasons[0].(map[string]any); ok {
			o.detail, _ = first["message"].(string)
		}
	}
	if gone {
		unknown := enum{0, "Unknown"}
		o.activity, o.severity, o.state, o.verdict, o.disposition = activityUnknown, enum{1, "Informational"}, unknown, unknown, unknown
		return o
	}
	verb := o.action[strings.LastIndexByte(o.action, '.')+1:]
	var known bool
	if o.activity, known = activities[verb]; !known {
		o.activity = enum{activityOther, verb}
	}
	o.judge(path == "pointgate/decision")
	return o
}

// judge finds the numbers: decided says that a policy was asked; else it is an
// event that the log only keeps.
func (o *ocsfOutcome) judge(decided bool) {
	o.severity, o.state, o.verdict, o.disposition = enum{1, "Informational"}, enum{1, "Success"}, enum{1, "Allowed"}, enum{1, "Allowed"}
	if !decided {
		o.verdict, o.disposition = enum{3, "Observed"}, enum{17, "Logged"}
	}
	if !o.allow || o.status >= 400 {
		o.state = enum{2, "Failure"}
	}
	if !o.allow {
		o.severity, o.verdict, o.disposition = enum{2, "Low"}, enum{2, "Denied"}, enum{2, "Blocked"}
	}
	switch {
	case strings.HasSuffix(o.code, "_reuse"):
		o.severity = enum{4, "High"}
	case o.status >= 500:
		o.severity, o.disposition = enum{3, "Medium"}, enum{27, "Error"}
	}
}

func (e opaEvent) metadata(o *ocsfOutcome) map[string]any {
	product := map[string]any{"name": "Pointgate", "vendor_name": "Pointgate"}
	put(product, "version", e.text("labels.version"))
	profiles := []string{"security_control"}
	if _, ok := e["trace_id"]; ok {
		profiles = append(profiles, "trace")
	}
	m := map[string]any{"version": ocsfVersion, "product": product, "profiles": profiles, "log_name": "decisions"}
	put(m, "uid", e.text("decision_id"))
	put(m, "tenant_uid", e.text("custom.tenant"))
	put(m, "event_code", o.action)
	if n, ok := at(e, "custom.index").(json.Number); ok { // stays in unmapped too: it belongs to the nonce
		m["sequence"] = n
	}
	if t, ok := e["timestamp"].(string); ok {
		m["original_time"] = t
	}
	return m
}

func (e opaEvent) actor(o *ocsfOutcome, gone bool) map[string]any {
	if gone {
		return map[string]any{"app_name": "erased"}
	}
	kind, id := e.text("input.subject.type"), e.text("input.subject.id")
	t, known := userTypes[kind]
	if !known {
		t = enum{0, "Unknown"}
	}
	user := map[string]any{"type_id": t.id, "type": t.caption}
	if put(user, "uid", id); id == "" {
		user["name"] = "anonymous"
	}
	actor := map[string]any{"user": user}
	put(actor, "app_uid", e.text("input.context.client.id"))
	if revision := e.text("bundles.pointgate.revision"); revision != "" {
		decision := "denied"
		if o.allow {
			decision = "allowed"
		}
		actor["authorizations"] = []any{map[string]any{
			"decision": decision, "policy": map[string]any{"name": "pointgate", "uid": revision, "version": revision},
		}}
	}
	return actor
}

func (e opaEvent) source() map[string]any {
	ip := e.text("requested_by")
	if other := e.text("input.context.request.ip"); ip == "" {
		ip = other
	}
	if ip == "" || strings.ContainsFunc(ip, func(c rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF.:", c) }) {
		if ip == "" {
			ip = "unknown"
		}
		return map[string]any{"name": ip} // also a pseudonym, and the sum of many
	}
	return map[string]any{"ip": ip}
}

func api6003(o *ocsfOutcome, request string) map[string]any {
	operation := o.action
	if operation == "" {
		operation = "unknown"
	}
	out := map[string]any{"operation": operation, "service": map[string]any{"name": "pointgate"}}
	if request != "" {
		out["request"] = map[string]any{"uid": request}
	}
	response := map[string]any{}
	if o.status > 0 {
		response["code"] = o.status
	}
	if o.code != "ok" {
		put(response, "error", o.code)
		put(response, "error_message", o.detail)
	}
	if len(response) > 0 {
		out["response"] = response
	}
	return out
}

func (e opaEvent) http(out map[string]any, o *ocsfOutcome, request string) {
	method, path := e.text("input.context.request.method"), e.text("input.context.request.path")
	if method != "" || path != "" {
		r := map[string]any{}
		put(r, "http_method", method)
		put(r, "uid", request)
		if path != "" {
			r["url"] = map[string]any{"path": path}
		}
		out["http_request"] = r
	}
	if o.status > 0 {
		out["http_response"] = map[string]any{"code": o.status}
	}
}

func (e opaEvent) resources(out map[string]any) {
	id := e.text("input.resource.id")
	if id == "" {
		return
	}
	r := map[string]any{"uid": id}
	put(r, "type", e.text("input.resource.type"))
	put(r, "namespace", e.text("input.resource.properties.tenant"))
	if owner := e.text("input.resource.properties.owner"); owner != "" {
		r["owner"] = map[string]any{"uid": owner}
	}
	out["resources"] = []any{r}
}

// pruned is what is left, without objects that have become empty; nil if nothing is.
func pruned(m map[string]any) map[string]any {
	for name, v := range m {
		if inner, ok := v.(map[string]any); ok && pruned(inner) == nil {
			delete(m, name)
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}
