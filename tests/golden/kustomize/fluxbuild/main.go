// fluxbuild ROOT DIR SPEC: what kustomize-controller builds of a directory below ROOT with the fields of SPEC (JSON).
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	root, dir := os.Args[1], os.Args[2]
	var spec map[string]interface{}
	err := json.Unmarshal([]byte(os.Args[3]), &spec)
	if err == nil {
		object := unstructured.Unstructured{Object: map[string]interface{}{"spec": spec}}
		_, err = kustomize.NewGenerator(root, object).WriteFile(dir)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		os.Exit(1)
	}
	objects, err := kustomize.SecureBuild(root, dir, false)
	if err == nil {
		var text []byte
		if text, err = objects.AsYaml(); err == nil {
			os.Stdout.Write(text)
			return
		}
	}
	fmt.Fprintf(os.Stderr, "Error: %v\n", err)
	os.Exit(1)
}
