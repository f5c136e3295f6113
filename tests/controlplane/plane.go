// plane.go: which programs make up the control plane, and with which flags.
package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const serviceRange = "10.96.0.0/16" // a /24 ends at 250 Services

var firstServiceIP = net.IPv4(10, 96, 0, 1)

// Below the range the kernel takes the ports of outgoing connections from, so that the port of a
// stopped apiserver is still free when it starts again.
const (
	portMin = 20000
	portMax = 32000
)

// All of them but those with nothing to do here: no metrics, no kubelet that asks for certificates, no disks.
var controllers = []string{"*",
	"-horizontal-pod-autoscaler-controller",
	"-certificatesigningrequest-signing-controller",
	"-certificatesigningrequest-approving-controller",
	"-certificatesigningrequest-cleaner-controller",
	"-node-ipam-controller",
	"-persistentvolume-attach-detach-controller",
	"-persistentvolume-expander-controller",
	"-ephemeral-volume-controller",
}

type plane struct {
	dir       string
	pki       pki
	server    string // https://127.0.0.1:port
	processes []*process
}

func (p *plane) kubeconfig() string { return filepath.Join(p.dir, "kubeconfig") }

func (p *plane) find(name string) *process {
	for _, process := range p.processes {
		if process.name == name {
			return process
		}
	}
	return nil
}

func (p *plane) add(name string, args ...string) *process {
	added := &process{name: name, args: args, logPath: filepath.Join(p.dir, name+".log")}
	p.processes = append(p.processes, added)
	return added
}

// One line for each request when it is answered: who asked, as whom, for what, with which code; no bodies. Written at once.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

func (p *plane) audit() error {
	policy := filepath.Join(p.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	apiserver := p.find("apiserver")
	apiserver.args = append(apiserver.args, "--audit-policy-file="+policy, "--audit-log-path="+filepath.Join(p.dir, "audit.log"),
		"--audit-log-mode=blocking")
	return nil
}

func freePort() (string, error) {
	for range 1000 {
		port := strconv.Itoa(portMin + rand.IntN(portMax-portMin))
		listener, err := net.Listen("tcp4", "127.0.0.1:"+port)
		if err == nil {
			return port, listener.Close()
		}
	}
	return "", fmt.Errorf("no free port between %d and %d", portMin, portMax)
}

func newPlane(dir string, options upOptions) (*plane, error) {
	p := &plane{dir: dir, pki: pki{filepath.Join(dir, "pki")}}
	var ports [3]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	client, peer := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	p.server = "https://127.0.0.1:" + ports[2]

	p.add("etcd", "etcd",
		"--data-dir="+filepath.Join(dir, "etcd"),
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer,
		"--initial-cluster=default="+peer,
		"--unsafe-no-fsync", "--log-level=warn",
		// One member elects itself; the default of one second is all waiting.
		"--heartbeat-interval=20", "--election-timeout=200",
	)
	p.add("apiserver", "kube-apiserver",
		"--etcd-servers="+client,
		"--bind-address=127.0.0.1", "--secure-port="+ports[2], "--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--cert-dir="+p.pki.dir,
		"--tls-cert-file="+p.pki.path("apiserver.crt"), "--tls-private-key-file="+p.pki.path("apiserver.key"),
		"--client-ca-file="+p.pki.path("ca.crt"),
		"--service-account-key-file="+p.pki.path("sa.pub"),
		"--service-account-signing-key-file="+p.pki.path("sa.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-cluster-ip-range="+serviceRange,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--allow-privileged", "--profiling=false",
	)
	if !options.noControllerManager {
		p.add("controller-manager", "kube-controller-manager",
			"--kubeconfig="+p.kubeconfig(),
			"--leader-elect=false", "--secure-port=0", "--profiling=false",
			"--root-ca-file="+p.pki.path("ca.crt"),
			"--service-account-private-key-file="+p.pki.path("sa.key"),
			"--service-cluster-ip-range="+serviceRange,
			"--controllers="+strings.Join(controllers, ","),
			// Its default of 20 requests a second would be what every test and benchmark measures.
			"--kube-api-qps=500", "--kube-api-burst=1000",
		)
	}
	if options.nodes > 0 {
		p.add("scheduler", "kube-scheduler",
			"--kubeconfig="+p.kubeconfig(), "--leader-elect=false", "--secure-port=0", "--profiling=false")
		p.add("nodes", "nodes", "--kubeconfig="+p.kubeconfig(), "--count="+strconv.Itoa(options.nodes))
	}
	return p, nil
}
