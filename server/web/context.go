package web

import "context"

type eventInContext struct{}

// WithEvent hands a request's event to what is called with the context, for
// rooms below that write records about requests they know nothing of.
func WithEvent(ctx context.Context, e *Event) context.Context {
	return context.WithValue(ctx, eventInContext{}, e)
}

// EventIn is the event that [WithEvent] put there; nil if none did.
func EventIn(ctx context.Context) *Event {
	e, _ := ctx.Value(eventInContext{}).(*Event)
	return e
}
