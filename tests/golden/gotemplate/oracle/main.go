// gotemplate's oracle: text/template with or without sprig, errors as the library gives them.
// In   JSON lines {"id","template","data","funcs","strict","ints"}: funcs adds sprig and missingkey=zero
// Out  {"id","out","err"}
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type request struct {
	ID       json.RawMessage `json:"id"`
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
	Funcs    bool            `json:"funcs"`
	Strict   bool            `json:"strict"`
	Ints     bool            `json:"ints"`
}

type answer struct {
	ID  json.RawMessage `json:"id"`
	Out string          `json:"out"`
	Err string          `json:"err"`
}

func withInts(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = withInts(item)
		}
	case []any:
		for i, item := range v {
			v[i] = withInts(item)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	}
	return value
}

func evaluate(r request) (out string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	var data any
	decoder := json.NewDecoder(bytes.NewReader(r.Data))
	if r.Ints {
		decoder.UseNumber()
	}
	if err := decoder.Decode(&data); err != nil {
		return "", err
	}
	t := template.New("t")
	if r.Funcs {
		funcs := sprig.TxtFuncMap()
		delete(funcs, "env")
		delete(funcs, "expandenv")
		t.Option("missingkey=zero").Funcs(funcs)
	}
	if r.Strict {
		t.Option("missingkey=error")
	}
	if t, err = t.Parse(r.Template); err != nil {
		return "", err
	}
	var text strings.Builder
	err = t.Execute(&text, withInts(data))
	return text.String(), err
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		a := answer{}
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			a.Err = "request: " + err.Error()
		} else {
			a.ID = r.ID
			text, err := evaluate(r)
			a.Out = text
			if err != nil {
				a.Err = err.Error()
			}
		}
		out.Encode(a)
	}
}
