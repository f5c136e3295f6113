// tomlexec reads TOML as Helm's fromToml does and writes it again as toToml does.
// In   {"id","doc"}; doc is base64: a document need not be UTF-8
// Out  {"id","out","toml","err"}: the values with their Go types, the text written, what fromToml panics with
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"holdfast/tests/oracle/internal/jsonl"
)

type request struct {
	ID  json.RawMessage `json:"id"`
	Doc []byte          `json:"doc"`
}

type answer struct {
	ID   json.RawMessage `json:"id"`
	Out  string          `json:"out"`
	Toml string          `json:"toml"`
	Err  string          `json:"err"`
}

// read is fromTOML of helm/v4/pkg/engine.
func read(text string) map[string]any {
	m := make(map[string]any)
	if err := toml.Unmarshal([]byte(text), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

// write is toTOML of helm/v4/pkg/engine.
func write(v any) string {
	b := bytes.NewBuffer(nil)
	if err := toml.NewEncoder(b).Encode(v); err != nil {
		return err.Error()
	}
	return b.String()
}

func show(out *strings.Builder, value any) {
	switch v := value.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		out.WriteString("{")
		for i, key := range keys {
			if i > 0 {
				out.WriteString(", ")
			}
			out.WriteString(strconv.Quote(key) + ": ")
			show(out, v[key])
		}
		out.WriteString("}")
	case []map[string]any:
		out.WriteString("tables[")
		for i, item := range v {
			if i > 0 {
				out.WriteString(", ")
			}
			show(out, item)
		}
		out.WriteString("]")
	case []any:
		out.WriteString("[")
		for i, item := range v {
			if i > 0 {
				out.WriteString(", ")
			}
			show(out, item)
		}
		out.WriteString("]")
	case string:
		out.WriteString(strconv.Quote(v))
	case float64:
		if math.Signbit(v) && math.IsNaN(v) {
			out.WriteString("-")
		}
		out.WriteString(strconv.FormatFloat(v, 'e', -1, 64))
	case time.Time:
		out.WriteString(v.Format("2006-01-02T15:04:05.999999999-07:00") + " " + v.Location().String())
	default:
		fmt.Fprint(out, v)
	}
}

func evaluate(r request) (a answer) {
	a.ID = r.ID
	defer func() {
		if p := recover(); p != nil {
			a.Err = fmt.Sprint(p)
		}
	}()
	m := read(string(r.Doc))
	var out strings.Builder
	show(&out, m)
	a.Out, a.Toml = out.String(), write(m)
	return a
}

func main() { jsonl.Serve(evaluate) }
