package chargewire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	chargewire "github.com/chargewire/chargewire/bindings/go"
)

// patience is far longer than anything takes.
const patience = 60 * time.Second

// TestMain sees to it that the tests leave no goroutine behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !settles(before) {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
}

// settles waits for goroutines that are on their way out.
func settles(want int) bool {
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > want; runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// csms is the embedded CSMS, for as long as a test runs.
type csms struct {
	t     *testing.T
	url   string
	tell  io.WriteCloser
	lines *bufio.Scanner
}

func newCSMS(t *testing.T, options ...string) *csms {
	t.Helper()
	program := os.Getenv("CHARGEWIRE_CSMS")
	if program == "" {
		t.Skip("CHARGEWIRE_CSMS does not say where chargewire-csms is")
	}
	command := exec.Command(program, append([]string{"--port", "0", "--stdin"}, options...)...)
	tell, err := command.StdinPipe()
	ok(t, err)
	output, err := command.StdoutPipe()
	ok(t, err)
	ok(t, command.Start())
	c := &csms{t: t, tell: tell, lines: bufio.NewScanner(output)}
	t.Cleanup(func() {
		tell.Close() // which ends it
		ok(t, command.Wait())
	})
	words := strings.Fields(c.line())
	c.url = words[len(words)-1]
	return c
}

func (c *csms) line() string {
	c.t.Helper()
	if !c.lines.Scan() {
		c.t.Fatalf("the CSMS says no more: %v", c.lines.Err())
	}
	return c.lines.Text()
}

func (c *csms) do(command string) {
	c.t.Helper()
	_, err := fmt.Fprintln(c.tell, command)
	ok(c.t, err)
	if answer := c.line(); answer != "ok" {
		c.t.Fatalf("%s: %s", command, answer)
	}
}

func newManager(t *testing.T, options ...chargewire.ManagerOption) *chargewire.Manager {
	t.Helper()
	manager, err := chargewire.NewManager(append([]chargewire.ManagerOption{
		chargewire.WithIOThreads(1), chargewire.WithReconnectBackoff(20 * time.Millisecond), chargewire.WithReconnectJitter(0)}, options...)...)
	ok(t, err)
	t.Cleanup(func() {
		ok(t, manager.Close())
		<-manager.Done()
	})
	return manager
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// next takes events up to one of that type.
func next(t *testing.T, manager *chargewire.Manager, wanted chargewire.EventType) chargewire.Event {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case event, open := <-manager.Events():
			if !open {
				t.Fatalf("the events end without %s", wanted)
			}
			if event.Type == wanted {
				return event
			}
		case <-timeout:
			t.Fatalf("no %s", wanted)
		}
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: %v, and not %v", what, got, want)
	}
}
