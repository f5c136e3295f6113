// oracle-yaml: what go-yaml v3, go-yaml v2 and sigs.k8s.io/yaml make of a text.
//
//	oracle-yaml           JSON lines {"name","in","base64"} -> {"name", dump, emit, ...} (report.go)
//	oracle-yaml files     names on standard input, one a line -> the same lines
//	oracle-yaml floats    floats as %x, one a line -> their texts
//	oracle-yaml bench     FILE [count]: milliseconds of parsing and of parsing and writing
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

type input struct {
	Name   string `json:"name"`
	In     string `json:"in"`
	Base64 string `json:"base64"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<30)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)

	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "":
		for in.Scan() {
			var one input
			if err := json.Unmarshal(in.Bytes(), &one); err != nil {
				panic(err)
			}
			text := []byte(one.In)
			if one.Base64 != "" {
				text, _ = base64.StdEncoding.DecodeString(one.Base64)
			}
			encoder.Encode(describe(one.Name, text))
		}
	case "files":
		for in.Scan() {
			text, err := os.ReadFile(in.Text())
			if err != nil {
				panic(err)
			}
			encoder.Encode(describe(in.Text(), text))
		}
	case "floats":
		for in.Scan() {
			value, err := strconv.ParseFloat(in.Text(), 64)
			if err != nil {
				panic(err)
			}
			asJSON, _ := json.Marshal(value)
			fmt.Fprintln(out, strconv.FormatFloat(value, 'g', -1, 64), strconv.FormatFloat(value, 'e', -1, 64),
				strconv.FormatFloat(value, 'f', -1, 64), strconv.FormatFloat(value, 'g', -1, 32),
				strconv.FormatFloat(value, 'g', 5, 64), strconv.FormatFloat(value, 'e', 3, 64),
				strconv.FormatFloat(value, 'f', 2, 64), string(asJSON))
		}
	case "bench":
		bench(os.Args[2:])
	}
}
