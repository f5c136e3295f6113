// process.go: one child process that can be stopped, killed, paused and started again.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const stopGrace = 2 * time.Second // an apiserver with open watches would take a minute

type process struct {
	name    string   // as the commands on stdin call it
	args    []string // the first one selects the program inside this binary
	logPath string

	command *exec.Cmd
	exited  chan struct{} // closed when the child is gone; nil before the first start
}

func (p *process) running() bool {
	if p.exited == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// start must run on a thread that lives as long as this program: the kernel kills the child with it.
func (p *process) start() error {
	if p.running() {
		return fmt.Errorf("%s is running already", p.name)
	}
	log, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	p.command = exec.Command("/proc/self/exe", p.args...)
	p.command.Args[0] = "controlplane" // what ps shows
	p.command.Stdout = log
	p.command.Stderr = log
	p.command.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // a Ctrl-C is for the launcher, which stops its children in order
	}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	exited := make(chan struct{})
	p.exited = exited
	command := p.command
	go func() {
		_ = command.Wait()
		close(exited)
	}()
	return nil
}

func (p *process) pid() int {
	if !p.running() {
		return 0
	}
	return p.command.Process.Pid
}

func (p *process) signal(s syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("%s is not running", p.name)
	}
	return p.command.Process.Signal(s)
}

// stop asks first, and kills after the grace period.
func (p *process) stop(grace time.Duration) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = p.signal(syscall.SIGCONT)
	select {
	case <-p.exited:
		return nil
	case <-time.After(grace):
		return p.kill()
	}
}

func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.exited
	return nil
}

// lastWords is the end of the log, for the message that says why a start failed.
func (p *process) lastWords() string {
	const lines = 8
	content, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}
