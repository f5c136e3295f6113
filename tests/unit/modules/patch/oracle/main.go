// oracle answers patch questions with kyaml and kustomize's filters themselves, one JSON line for each.
//
// In   {"op","base","patch","path","create","spec","value","tag","selector","schema"}, as the operation needs;
//
//	base and patch are YAML
//
// Out  {"tree","out","err"}: the object as kyaml writes it, as kustomize writes it, or the error
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/kustomize/api/filters/fieldspec"
	"sigs.k8s.io/kustomize/api/filters/filtersutil"
	"sigs.k8s.io/kustomize/api/filters/patchjson6902"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/utils"
	"sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/kustomize/kyaml/yaml/merge2"
	"sigs.k8s.io/kustomize/kyaml/yaml/walk"
	sigs "sigs.k8s.io/yaml"
)

type question struct {
	Op, Base, Patch, Path, Create, Value, Tag, Selector, Schema string
	Spec                                                        types.FieldSpec
}

type answer struct {
	Tree string `json:"tree"`
	Out  string `json:"out"`
	Err  string `json:"err"`
}

var lastSchema string

var kinds = map[string]yaml.Kind{"": 0, "scalar": yaml.ScalarNode, "map": yaml.MappingNode, "list": yaml.SequenceNode}

func written(node *yaml.RNode) answer {
	if node == nil || node.YNode() == nil {
		return answer{Tree: "deleted"}
	}
	tree, err := node.String()
	if err != nil {
		return answer{Err: err.Error()}
	}
	text, err := node.MarshalJSON()
	if err != nil {
		return answer{Tree: tree, Out: "error"}
	}
	out, err := sigs.JSONToYAML(text)
	if err != nil {
		return answer{Tree: tree, Out: "error"}
	}
	return answer{Tree: tree, Out: string(out)}
}

func merge(q question, growth yaml.MergeOptionsListIncreaseDirection, infer bool) answer {
	base, patch := yaml.MustParse(q.Base), yaml.MustParse(q.Patch)
	merged, err := walk.Walker{
		Sources:               []*yaml.RNode{base, patch},
		Visitor:               merge2.Merger{},
		InferAssociativeLists: infer,
		MergeOptions:          yaml.MergeOptions{ListIncreaseDirection: growth},
	}.Walk()
	if err != nil {
		return answer{Err: err.Error()}
	}
	return written(merged)
}

func respond(q question) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{Err: fmt.Sprint("panic: ", r)}
		}
	}()
	if q.Schema != lastSchema { // reading the builtin document takes 40 ms
		openapi.ResetOpenAPI()
		lastSchema = q.Schema
	}
	if q.Schema != "" {
		if err := openapi.SetSchema(nil, []byte(q.Schema), true); err != nil {
			return answer{Err: err.Error()}
		}
	}
	switch q.Op {
	case "merge":
		return merge(q, yaml.MergeOptionsListPrepend, false)
	case "append":
		return merge(q, yaml.MergeOptionsListAppend, false)
	case "infer":
		return merge(q, yaml.MergeOptionsListAppend, true)
	case "json6902":
		base := yaml.MustParse(q.Base)
		base = yaml.NewRNode(base.YNode())
		if _, err := (patchjson6902.Filter{Patch: q.Patch}).Filter([]*yaml.RNode{base}); err != nil {
			return answer{Err: err.Error()}
		}
		return written(base)
	case "match":
		base := yaml.MustParse(q.Base)
		found, err := base.Pipe(&yaml.PathMatcher{
			Path: utils.SmarterPathSplitter(q.Path, "."), Create: kinds[q.Create]})
		if err != nil {
			return answer{Err: err.Error()}
		}
		a := written(base)
		for _, node := range found.Content() {
			text, _ := yaml.String(node)
			a.Out += "found: " + text
		}
		return a
	case "lookup":
		base := yaml.MustParse(q.Base)
		path := utils.SmarterPathSplitter(q.Path, ".")
		found, err := base.Pipe(yaml.PathGetter{Path: path, Create: kinds[q.Create]})
		if err != nil {
			return answer{Err: err.Error()}
		}
		a := written(base)
		a.Out = found.MustString()
		return a
	case "fieldspec":
		base := yaml.MustParse(q.Base)
		set := filtersutil.SetScalar(q.Value)
		if q.Tag != "" {
			name, tag, _ := strings.Cut(q.Tag, " ")
			set = filtersutil.SetEntry(name, q.Value, tag)
		}
		_, err := fieldspec.Filter{FieldSpec: q.Spec, SetValue: set, CreateKind: kinds[q.Create]}.Filter(
			yaml.NewRNode(base.YNode()))
		if err != nil {
			return answer{Err: err.Error()}
		}
		return written(base)
	case "selector":
		base := yaml.MustParse(q.Base)
		ok, err := base.MatchesLabelSelector(q.Selector)
		if err != nil {
			return answer{Err: err.Error()}
		}
		return answer{Out: fmt.Sprint(ok)}
	}
	return answer{Err: "unknown operation " + q.Op}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var q question
		if err := json.Unmarshal(line, &q); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Encode(respond(q)); err != nil {
			os.Exit(1)
		}
	}
}
