package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// server is a process under load.
type server struct {
	address string
	pid     int
}

// serveBare is what everything is compared with: Fiber and a constant answer.
func serveBare(address string) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString(`{"balance":1200}`) })
	return app.Listen(address)
}

// startBare runs this program again as the bare handler.
func startBare() (s server, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, nil, err
	}
	s.address = ln.Addr().String()
	_ = ln.Close()
	self, err := os.Executable()
	if err != nil {
		return s, nil, err
	}
	cmd := exec.Command(self, "-bare", s.address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return s, nil, err
	}
	s.pid = cmd.Process.Pid
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if conn, err := net.DialTimeout("tcp", s.address, time.Second); err == nil {
			return s, stop, conn.Close()
		}
	}
	stop()
	return s, nil, fmt.Errorf("the bare handler does not listen")
}

// cpuTime is the user and system time that a process has used (proc(5)).
func cpuTime(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(raw, []byte(") ")) // behind the name, which may hold anything
	fields := strings.Fields(string(rest))
	const user, system, tick = 11, 12, time.Second / 100 // the third field of proc(5) is fields[0]
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, raw)
	}
	u, err := strconv.Atoi(fields[user])
	if err != nil {
		return 0, err
	}
	k, err := strconv.Atoi(fields[system])
	return time.Duration(u+k) * tick, err
}

// residentMiB is the memory of a process that is in RAM.
func residentMiB(pid int) (int, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if kib, is := strings.CutPrefix(line, "VmRSS:"); is {
			n, err := strconv.Atoi(strings.Fields(kib)[0])
			return n >> 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status names no VmRSS", pid)
}
