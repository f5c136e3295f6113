// bench.go: how long go-yaml takes for one file.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	yaml "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

func parseAll(text []byte) (nodes []*yaml.Node) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		node := new(yaml.Node)
		if err := decoder.Decode(node); errors.Is(err, io.EOF) {
			return nodes
		} else if err != nil {
			panic(err)
		}
		nodes = append(nodes, node)
	}
}

func bench(args []string) {
	text, err := os.ReadFile(args[0])
	if err != nil {
		panic(err)
	}
	count := 3
	if len(args) > 1 {
		count, _ = strconv.Atoi(args[1])
	}
	best := func(f func()) float64 {
		least := time.Hour
		for range count {
			start := time.Now()
			f()
			least = min(least, time.Since(start))
		}
		return float64(least.Microseconds()) / 1000
	}
	var nodes []*yaml.Node
	parse := best(func() { nodes = parseAll(text) })
	write := best(func() {
		if _, err := encode(nodes, 2, true); err != nil {
			panic(err)
		}
	})
	var asJSON []byte
	toJSON := best(func() { asJSON, _ = sigs.YAMLToJSON(text) })
	toYAML := best(func() { sigs.JSONToYAML(asJSON) })
	fmt.Printf("parse %.2f ms, emit %.2f ms, sigs YAMLToJSON %.2f ms, sigs JSONToYAML %.2f ms\n", parse, write, toJSON, toYAML)
}
