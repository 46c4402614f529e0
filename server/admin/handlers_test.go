package admin

import "testing"

func TestReloadingMakesNoHandlers(t *testing.T) {
	if h := new(Admin).reloading(Handlers{}); h.Create != nil || h.Update != nil || h.Delete != nil {
		t.Error("there are handlers for operations that there are not")
	}
}
