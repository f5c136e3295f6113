// tplexec evaluates Go templates: plain text/template, or with the functions and rules of Helm's engine.
// In   {"id","template","data","funcs","strict","ints"}: funcs renders with Helm's engine,
//
//	strict sets missingkey=error, ints reads whole numbers as int64 instead of float64
//
// Out  {"id","out","err"}
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"

	"holdfast/tests/oracle/internal/jsonl"
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

// The engine's function map is private, so the template is a partial ("t") of a chart that holds nothing
// else, called with the data as its dot; errors then name it as chart "t".
const (
	partialName = "t/templates/_t"
	callerName  = "t/templates/call"
	caller      = `{{ template "` + partialName + `" .Values.data }}`
)

func renderHelm(r request, data any) (string, error) {
	c := &chart.Chart{
		Metadata: &chart.Metadata{APIVersion: "v2", Name: "t", Version: "0.1.0"},
		Templates: []*common.File{
			{Name: "templates/_t", Data: []byte(r.Template)},
			{Name: "templates/call", Data: []byte(caller)},
		},
	}
	values := common.Values{
		"Values":       common.Values{"data": data},
		"Release":      map[string]any{"Name": "t", "Namespace": "default", "Revision": 1, "IsInstall": true, "IsUpgrade": false, "Service": "Helm"},
		"Capabilities": common.DefaultCapabilities,
	}
	out, err := engine.Engine{Strict: r.Strict}.Render(c, values)
	return out[callerName], err
}

func renderPlain(r request, data any) (out string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	t := template.New("t")
	if r.Strict {
		t.Option("missingkey=error")
	}
	if t, err = t.Parse(r.Template); err != nil {
		return "", err
	}
	var text strings.Builder
	err = t.Execute(&text, data)
	return text.String(), err
}

func decode(r request) (any, error) {
	if len(r.Data) == 0 {
		return nil, nil
	}
	var data any
	decoder := json.NewDecoder(bytes.NewReader(r.Data))
	if r.Ints {
		decoder.UseNumber()
	}
	if err := decoder.Decode(&data); err != nil {
		return nil, err
	}
	return withInts(data), nil
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

func evaluate(r request) answer {
	data, err := decode(r)
	if err != nil {
		return answer{ID: r.ID, Err: "data: " + err.Error()}
	}
	render := renderPlain
	if r.Funcs {
		render = renderHelm
	}
	out, err := render(r, data)
	if err != nil {
		return answer{ID: r.ID, Out: out, Err: err.Error()}
	}
	return answer{ID: r.ID, Out: out}
}

func main() { jsonl.Serve(evaluate) }
