// Tests of `controlplane up` from outside, as a test of the daemon uses it.
package uptest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var binaries string // holds controlplane and kubectl

func TestMain(m *testing.M) {
	build := exec.Command("../../../scripts/build_controlplane")
	build.Stderr = os.Stderr
	out, err := build.Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "build_controlplane:", err)
		os.Exit(1)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	binaries = lines[len(lines)-1]
	os.Exit(m.Run())
}

type upped struct {
	t          *testing.T
	command    *exec.Cmd
	stdin      io.WriteCloser
	stdout     *bufio.Reader
	kubeconfig string
}

func up(t *testing.T, dir string, args ...string) *upped {
	t.Helper()
	u := &upped{t: t, command: exec.Command(filepath.Join(binaries, "controlplane"),
		append([]string{"up", "--dir", dir}, args...)...)}
	u.command.Stderr = os.Stderr
	u.stdin, _ = u.command.StdinPipe()
	stdout, _ := u.command.StdoutPipe()
	u.stdout = bufio.NewReader(stdout)
	start := time.Now()
	if err := u.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.stdin.Close(); _ = u.command.Wait() })
	u.kubeconfig = u.line()
	t.Logf("up in %v", time.Since(start).Round(time.Millisecond))
	return u
}

func (u *upped) line() string {
	u.t.Helper()
	line, err := u.stdout.ReadString('\n')
	if err != nil {
		u.t.Fatalf("no answer: %v", err)
	}
	return strings.TrimSpace(line)
}

func (u *upped) obey(command string) string {
	u.t.Helper()
	fmt.Fprintln(u.stdin, command)
	return u.line()
}

func (u *upped) mustObey(command string) {
	u.t.Helper()
	if answer := u.obey(command); answer != "ok" {
		u.t.Fatalf("%s: %s", command, answer)
	}
}

func (u *upped) pids() map[string]int {
	u.t.Helper()
	pids := map[string]int{}
	for _, word := range strings.Fields(u.obey("pids")) {
		name, value, _ := strings.Cut(word, "=")
		pids[name], _ = strconv.Atoi(value)
	}
	return pids
}

func (u *upped) kubectl(args ...string) string {
	u.t.Helper()
	command := exec.Command(filepath.Join(binaries, "kubectl"), append([]string{"--kubeconfig", u.kubeconfig}, args...)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		u.t.Fatalf("kubectl %v: %v: %s", args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

func (u *upped) address() string {
	u.t.Helper()
	server, err := url.Parse(u.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"))
	if err != nil {
		u.t.Fatal(err)
	}
	return server.Host
}

func (u *upped) requireAllDead(pids map[string]int, address string) {
	u.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for name, pid := range pids {
		for syscall.Kill(pid, 0) == nil {
			if zombie(pid) {
				break // nobody reaps orphans in some containers
			}
			if time.Now().After(deadline) {
				u.t.Fatalf("%s (%d) is still alive", name, pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		connection.Close()
		u.t.Fatalf("%s still answers", address)
	}
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestSecondUpInTheSameDirKeepsData(t *testing.T) {
	dir := t.TempDir()
	first := up(t, dir)
	first.kubectl("create", "configmap", "kept", "--from-literal=key=value")
	first.stdin.Close()
	if err := first.command.Wait(); err != nil {
		t.Fatalf("exit after stdin closed: %v", err)
	}

	second := up(t, dir)

	if got := second.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.key}"); got != "value" {
		t.Fatalf("got %q", got)
	}
}

func TestRestartOfApiserverKeepsDataAndPort(t *testing.T) {
	u := up(t, t.TempDir())
	u.kubectl("create", "configmap", "kept", "--from-literal=key=value")
	before, address := u.pids(), u.address()

	for _, how := range []string{"stop", "kill"} {
		u.mustObey(how + " apiserver")
		if _, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			t.Fatalf("answers after %s", how)
		}
		u.mustObey("start apiserver")
		if got := u.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.key}"); got != "value" {
			t.Fatalf("after %s: got %q", how, got)
		}
	}

	after := u.pids()
	if after["apiserver"] == before["apiserver"] || after["etcd"] != before["etcd"] {
		t.Fatalf("before %v, after %v", before, after)
	}
	u.mustObey("stop controller-manager")
	if answer := u.obey("stop controller-manager"); !strings.HasPrefix(answer, "error: ") {
		t.Fatalf("a second stop: %s", answer)
	}
	u.mustObey("start controller-manager")
}

func TestEverythingEndsWithTheLauncher(t *testing.T) {
	cases := map[string]struct {
		end  func(*upped)
		code int
	}{
		"stdin closed": {func(u *upped) { u.stdin.Close() }, 0},
		"SIGTERM":      {func(u *upped) { _ = u.command.Process.Signal(syscall.SIGTERM) }, 0},
		"SIGKILL":      {func(u *upped) { _ = u.command.Process.Kill() }, -1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			u := up(t, t.TempDir(), "--with-nodes", "1")
			pids, address := u.pids(), u.address()
			if len(pids) != 5 {
				t.Fatalf("expected five processes: %v", pids)
			}

			c.end(u)
			_ = u.command.Wait()

			if code := u.command.ProcessState.ExitCode(); code != c.code {
				t.Fatalf("exit code %d", code)
			}
			u.requireAllDead(pids, address)
		})
	}
}

func TestTwoAtOnceButNotInOneDir(t *testing.T) {
	dir := t.TempDir()
	first := up(t, dir, "--no-controller-manager")
	second := up(t, t.TempDir(), "--no-controller-manager")
	if first.address() == second.address() {
		t.Fatal("same address")
	}

	third := exec.Command(filepath.Join(binaries, "controlplane"), "up", "--dir", dir)
	out, err := third.CombinedOutput()

	if err == nil || !strings.Contains(string(out), "in use") {
		t.Fatalf("%v: %s", err, out)
	}
}

const workloads = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: good}
spec:
  replicas: 3
  selector: {matchLabels: {app: good}}
  template:
    metadata: {labels: {app: good}}
    spec: {containers: [{name: c, image: "example.test/c:1"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad}
spec:
  progressDeadlineSeconds: 1
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}, annotations: {controlplane.test/outcome: pull-error}}
    spec: {containers: [{name: c, image: "example.test/c:1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: c, image: "example.test/c:1"}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`

func TestNodesPretendToRunPods(t *testing.T) {
	u := up(t, t.TempDir(), "--with-nodes", "2")
	manifest := filepath.Join(t.TempDir(), "workloads.yaml")
	if err := os.WriteFile(manifest, []byte(workloads), 0o600); err != nil {
		t.Fatal(err)
	}

	u.kubectl("apply", "-f", manifest)

	u.kubectl("rollout", "status", "deployment/good", "--timeout=30s")
	u.kubectl("wait", "--for=condition=complete", "job/job", "--timeout=30s")
	u.kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/claim", "--timeout=30s")
	u.kubectl("wait", "--for=jsonpath={.status.conditions[?(@.type=='Progressing')].reason}=ProgressDeadlineExceeded",
		"deployment/bad", "--timeout=30s")
	u.kubectl("delete", "-f", manifest, "--wait")
	u.kubectl("wait", "--for=delete", "pods", "--all", "--timeout=30s")
}
