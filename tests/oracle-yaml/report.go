// report.go: one text through every door; panics are errors too.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	yaml "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

// An answer is a text, or "error: ..." when the door stays shut.
type report struct {
	Name   string `json:"name"`
	Dump   string `json:"dump"`   // the nodes of all documents, then the error
	Emit   string `json:"emit"`   // kyaml: indent 2, compact sequences
	Wide   string `json:"wide"`   // kyaml: wide sequences
	Four   string `json:"four"`   // go-yaml's own default
	JSON   string `json:"json"`   // first document into map[string]any or []any, as kyaml's MarshalJSON
	Sigs   string `json:"sigs"`   // YAMLToJSON
	Strict string `json:"strict"` // YAMLToJSONStrict, only when it differs
	Yaml   string `json:"yaml"`   // JSONToYAML of Sigs
	Pretty string `json:"pretty"` // v3 Marshal of Sigs, indent 2
}

func guard(f func() (string, error)) (answer string) {
	defer func() {
		if r := recover(); r != nil {
			answer = "error: panic"
		}
	}()
	text, err := f()
	if err != nil {
		return "error: " + err.Error()
	}
	return text
}

func describe(name string, text []byte) report {
	var nodes []*yaml.Node
	r := report{Name: name}
	r.Dump = guard(func() (string, error) {
		var out strings.Builder
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		for {
			node := new(yaml.Node)
			err := decoder.Decode(node)
			if errors.Is(err, io.EOF) {
				return out.String(), nil
			}
			if err != nil {
				out.WriteString("error: " + err.Error() + "\n")
				return out.String(), nil
			}
			nodes = append(nodes, node)
			dump(&out, node, 0)
		}
	})
	r.Emit = guard(func() (string, error) { return encode(nodes, 2, true) })
	r.Wide = guard(func() (string, error) { return encode(nodes, 2, false) })
	r.Four = guard(func() (string, error) { return encode(nodes, 4, false) })
	r.JSON = guard(func() (string, error) { return decodeToJSON(nodes) })
	r.Sigs = guard(func() (string, error) {
		out, err := sigs.YAMLToJSON(text)
		return string(out), err
	})
	if strict := guard(func() (string, error) {
		out, err := sigs.YAMLToJSONStrict(text)
		return string(out), err
	}); strict != r.Sigs {
		r.Strict = strict
	}
	if strings.HasPrefix(r.Sigs, "error: ") {
		return r
	}
	r.Yaml = guard(func() (string, error) {
		out, err := sigs.JSONToYAML([]byte(r.Sigs))
		return string(out), err
	})
	r.Pretty = guard(func() (string, error) {
		decoder := json.NewDecoder(strings.NewReader(r.Sigs))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			return "", err
		}
		var out bytes.Buffer
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(2)
		err := encoder.Encode(numbers(value))
		return out.String(), err
	})
	return r
}

func encode(nodes []*yaml.Node, indent int, compact bool) (string, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(indent)
	if compact {
		encoder.CompactSeqIndent()
	}
	for _, node := range nodes {
		if err := encoder.Encode(node); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

func decodeToJSON(nodes []*yaml.Node) (string, error) {
	if len(nodes) == 0 {
		return "", nil
	}
	root := nodes[0]
	if root.Kind == yaml.DocumentNode {
		root = root.Content[0]
	}
	var value any
	var err error
	switch root.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		err = root.Decode(&m)
		value = m
	case yaml.SequenceNode:
		var a []any
		err = root.Decode(&a)
		value = a
	default:
		err = root.Decode(&value)
	}
	if err != nil {
		return "", err
	}
	out, err := json.Marshal(value)
	return string(out), err
}

// numbers turns json.Number into the narrowest Go number that holds it.
func numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		var i int64
		var u uint64
		if _, err := fmt.Sscanf(v.String(), "%d", &i); err == nil && fmt.Sprint(i) == v.String() {
			return i
		}
		if _, err := fmt.Sscanf(v.String(), "%d", &u); err == nil && fmt.Sprint(u) == v.String() {
			return u
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return value
}

// dump writes a node a line: depth, kind, style, tag, value, anchor, comments, place.
func dump(out *strings.Builder, node *yaml.Node, depth int) {
	fmt.Fprintf(out, "%d k%d s%d t%s v%s", depth, node.Kind, node.Style, node.Tag, quote(node.Value))
	for _, part := range []struct{ name, text string }{
		{"a", node.Anchor}, {"H", node.HeadComment}, {"L", node.LineComment}, {"F", node.FootComment},
	} {
		if part.text != "" {
			out.WriteString(" " + part.name + quote(part.text))
		}
	}
	fmt.Fprintf(out, " %d:%d\n", node.Line, node.Column)
	for _, child := range node.Content {
		dump(out, child, depth+1)
	}
}

func quote(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' || c == 0x7f {
			fmt.Fprintf(&out, "\\%02x", c)
		} else {
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
