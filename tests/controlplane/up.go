// up.go: starts a control plane, says where it is, obeys the commands on stdin, and takes it down.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	upTimeout    = 2 * time.Minute
	pollInterval = 20 * time.Millisecond
	etcdGrace    = 2 * time.Second
)

type upOptions struct {
	dir                 string
	noControllerManager bool
	nodes               int
	ignoreStdin         bool
	audit               bool
}

func parseUpOptions(args []string) (upOptions, error) {
	var options upOptions
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&options.dir, "dir", "", "folder for data, certificates, logs and kubeconfig; kept when it exists")
	flags.BoolVar(&options.noControllerManager, "no-controller-manager", false, "etcd and apiserver only")
	flags.IntVar(&options.nodes, "with-nodes", 0, "start a scheduler and this many nodes that pretend to run pods")
	flags.BoolVar(&options.audit, "audit", false, "the apiserver tells DIR/audit.log who asked for what")
	flags.BoolVar(&options.ignoreStdin, "ignore-stdin", false, "run until SIGTERM, take no commands")
	if err := flags.Parse(args); err != nil {
		return options, err
	}
	if options.dir == "" || flags.NArg() > 0 {
		return options, errors.New("up needs --dir DIR and no other words")
	}
	var err error
	options.dir, err = filepath.Abs(options.dir)
	return options, err
}

func runUp(args []string) int {
	options, err := parseUpOptions(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 2
	}
	// Children die with the thread that started them, so all are started from this one.
	runtime.LockOSThread()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := up(ctx, options); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 1
	}
	return 0
}

func up(ctx context.Context, options upOptions) error {
	if err := os.MkdirAll(options.dir, 0o755); err != nil {
		return err
	}
	lock, err := lockDir(options.dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	p, err := newPlane(options.dir, options)
	if err != nil {
		return err
	}
	if options.audit {
		if err := p.audit(); err != nil {
			return err
		}
	}
	if err := p.pki.ensure(); err != nil {
		return err
	}
	if err := p.pki.writeKubeconfig(p.kubeconfig(), p.server); err != nil {
		return err
	}
	commands := make(chan string)
	if !options.ignoreStdin {
		go readCommands(os.Stdin, commands)
	}
	client, err := p.adminClient()
	if err != nil {
		return err
	}
	defer p.down()
	starting, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	if err := p.startAll(starting, client); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while starting
		}
		return err
	}
	fmt.Println(p.kubeconfig())
	for {
		select {
		case <-ctx.Done():
			return nil
		case command, open := <-commands:
			if !open {
				return nil
			}
			fmt.Println(p.obey(ctx, client, command))
		}
	}
}

func lockDir(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s is in use by another control plane", dir)
	}
	return lock, nil
}

func readCommands(in io.Reader, commands chan<- string) {
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		commands <- strings.TrimSpace(scanner.Text())
	}
	close(commands)
}

func (p *plane) adminClient() (*http.Client, error) {
	certificate, err := tls.LoadX509KeyPair(p.pki.path("admin.crt"), p.pki.path("admin.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(p.pki.path("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}},
			DisableKeepAlives: true, // a restarted apiserver is a new one
		},
	}, nil
}

// startAll returns when the API is ready, and with a controller manager when pods could be created.
func (p *plane) startAll(ctx context.Context, client *http.Client) error {
	for _, process := range p.processes {
		if err := process.start(); err != nil {
			return err
		}
		if process.name != "apiserver" {
			continue
		}
		if err := p.await(ctx, client, "/readyz", process); err != nil {
			return err
		}
		if err := p.await(ctx, client, "/api/v1/namespaces/default", process); err != nil {
			return err
		}
	}
	if manager := p.find("controller-manager"); manager != nil {
		return p.await(ctx, client, "/api/v1/namespaces/default/serviceaccounts/default", manager)
	}
	return nil
}

// await polls until the path answers 200, or the process that should make it so is gone.
func (p *plane) await(ctx context.Context, client *http.Client, path string, process *process) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server+path, nil)
		if err != nil {
			return err
		}
		if response, err := client.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		if !process.running() {
			return fmt.Errorf("%s ended while starting; the end of %s:\n%s",
				process.name, process.logPath, process.lastWords())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready in time; see the logs in %s", path, p.dir)
		case <-time.After(pollInterval):
		}
	}
}

// obey answers one command with one line: "ok", the pids, or "error: why".
func (p *plane) obey(ctx context.Context, client *http.Client, command string) string {
	words := strings.Fields(command)
	if len(words) == 1 && words[0] == "pids" {
		var pids []string
		for _, process := range p.processes {
			pids = append(pids, fmt.Sprintf("%s=%d", process.name, process.pid()))
		}
		return strings.Join(pids, " ")
	}
	if len(words) != 2 {
		return "error: expected pids, or start, stop, kill, pause or resume and a name"
	}
	process := p.find(words[1])
	if process == nil {
		return "error: there is no " + words[1]
	}
	var err error
	switch words[0] {
	case "start":
		if err = process.start(); err == nil && words[1] == "apiserver" {
			starting, cancel := context.WithTimeout(ctx, upTimeout)
			defer cancel()
			err = p.await(starting, client, "/readyz", process)
		}
	case "stop":
		err = process.stop(stopGrace)
	case "kill":
		err = process.kill()
	case "pause":
		err = process.signal(syscall.SIGSTOP)
	case "resume":
		err = process.signal(syscall.SIGCONT)
	default:
		err = fmt.Errorf("unknown command %q", words[0])
	}
	if err != nil {
		return "error: " + strings.ReplaceAll(err.Error(), "\n", " | ")
	}
	return "ok"
}

// down kills what holds no state, and lets etcd close its files.
func (p *plane) down() {
	for i := len(p.processes) - 1; i >= 0; i-- {
		if process := p.processes[i]; process.name == "etcd" {
			_ = process.stop(etcdGrace)
		} else {
			_ = process.kill()
		}
	}
}
