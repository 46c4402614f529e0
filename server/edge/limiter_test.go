package edge

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(1000, 0)
	l := NewLimiter(func() time.Time { return now })
	rate := Rate{Name: "r", Every: time.Second, Burst: 3}
	for i, want := range []int{2, 1, 0} {
		if v := l.Allow("a", rate); !v.OK || v.Remaining != want {
			t.Fatalf("request %d: %+v, want it passed with %d left", i, v, want)
		}
	}
	if v := l.Allow("a", rate); v.OK || v.RetryAfter != time.Second {
		t.Fatalf("the fourth: %+v, want refused for a second", v)
	}
	if v := l.Allow("b", rate); !v.OK {
		t.Error("another key must not suffer")
	}
	now = now.Add(time.Second)
	if v := l.Peek("a", rate); !v.OK || v.Remaining != 1 {
		t.Errorf("a look after a second: %+v, want one free and none charged", v)
	}
	if v := l.Allow("a", rate); !v.OK {
		t.Error("after a second one more must pass")
	}
	if v := l.Allow("a", rate); v.OK {
		t.Error("but only one")
	}
	now = now.Add(time.Hour)
	if v := l.Allow("a", rate); v.Remaining != 2 {
		t.Errorf("after a rest the burst is whole, and no larger: %+v", v)
	}
}

func TestLimiterKeepsItsBound(t *testing.T) {
	now := time.Unix(1000, 0)
	l := NewLimiter(func() time.Time { return now })
	rate := Rate{Name: "r", Every: time.Hour, Burst: 2}
	for i := range len(l.shards) * maxKeysPerShard * 2 {
		l.Allow(fmt.Sprint(i), rate)
	}
	for i := range l.shards {
		if n := len(l.shards[i].tat); n > maxKeysPerShard+1 {
			t.Fatalf("shard %d holds %d keys", i, n)
		}
	}
	if v := l.Allow("a stranger", rate); v.OK {
		t.Error("strangers over the bound are counted together, and they are many")
	}
	now = now.Add(3 * time.Hour)
	if v := l.Allow("a stranger", rate); !v.OK {
		t.Error("when the others are at rest there is room again")
	}
}
