// controlplane is a Kubernetes control plane for tests in one program: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kubectl and nodes that only pretend to run pods.
// Read main.go, up.go (what `up` does), plane.go (flags of the real programs), process.go, nodes.go.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	// As in the main packages of the real programs.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

const usage = `usage:
  controlplane up --dir DIR [--no-controller-manager] [--with-nodes N] [--ignore-stdin]
  controlplane nodes --kubeconfig FILE [--count N]
  controlplane kubectl ...          also when called under the name kubectl
  controlplane version
  controlplane etcd|kube-apiserver|kube-controller-manager|kube-scheduler ...
`

func main() {
	if filepath.Base(os.Args[0]) == "kubectl" {
		runKubectl()
	}
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	// Each program below sees itself as the first argument.
	os.Args = os.Args[1:]
	switch os.Args[0] {
	case "up":
		os.Exit(runUp(os.Args[1:]))
	case "nodes":
		os.Exit(runNodes(os.Args[1:]))
	case "kubectl":
		runKubectl()
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "version":
		fmt.Println(version.Get().GitVersion)
	default:
		fmt.Fprintf(os.Stderr, "unknown command %q\n%s", os.Args[0], usage)
		os.Exit(2)
	}
}

func runKubectl() {
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	os.Exit(0)
}
