// helmbench renders a loaded chart many times with Helm's engine: the half of `helm template` that is no process start.
// In   RUNS CHART
// Out  "first-ms later-ms bytes": CPU time of the first render and of one of the rest; bytes of all templates' output
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	v2util "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

func cpuMilliseconds() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	runs, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail(err)
	}
	chart, err := loader.Load(os.Args[2])
	if err != nil {
		fail(err)
	}
	values := map[string]any{}
	if err := v2util.ProcessDependencies(chart, values); err != nil {
		fail(err)
	}
	first, start, size := 0.0, cpuMilliseconds(), 0
	for i := range runs {
		release := common.ReleaseOptions{Name: "rel", Namespace: "default", Revision: 1, IsInstall: true}
		all, err := util.ToRenderValues(chart, values, release, common.DefaultCapabilities)
		if err != nil {
			fail(err)
		}
		files, err := engine.Render(chart, all)
		if err != nil {
			fail(err)
		}
		size = 0
		for _, text := range files {
			size += len(text)
		}
		if i == 0 {
			first = cpuMilliseconds() - start
			start = cpuMilliseconds()
		}
	}
	later := first
	if runs > 1 {
		later = (cpuMilliseconds() - start) / float64(runs-1)
	}
	fmt.Printf("%.3f %.3f %d\n", first, later, size)
}
