// make_schema_table writes modules/patch/schema_table.inc: what kustomize 5.8.1 knows about Kubernetes types.
//
//	cd scripts/make_schema_table && go run . >../../modules/patch/schema_table.inc
//
// The document is the one that kyaml embeds, read by kyaml itself, so that the table holds what kustomize sees:
// properties, element and value types, patch strategies, merge keys, and which kinds have a namespace.
// Descriptions, formats and validation are left out; equal types are written once.
//
// With -compare FILE (an OpenAPI v2 document of a later Kubernetes) it writes instead which list fields are merged
// by key there and not here, or with other keys.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

const none = 0xFFFF

type field struct {
	name string
	node int
}

type node struct {
	fields   []field
	rest     int // values of a map, or elements of an array
	array    bool
	strategy string
	keys     []string
}

type table struct {
	definitions map[string]spec.Schema
	nodes       []node
	byName      map[string]int
	byShape     map[string]int
}

func (t *table) leaf() int { return t.intern(node{rest: none}) }

func (t *table) intern(n node) int {
	shape := fmt.Sprintf("%v", n)
	if id, ok := t.byShape[shape]; ok {
		return id
	}
	t.nodes = append(t.nodes, n)
	t.byShape[shape] = len(t.nodes) - 1
	return len(t.nodes) - 1
}

func isPlain(s *spec.Schema) bool {
	strategy, _ := (&openapi.ResourceSchema{Schema: s}).PatchStrategyAndKeyList()
	return len(s.Properties) == 0 && (s.AdditionalProperties == nil || s.AdditionalProperties.Schema == nil) &&
		s.Items == nil && strategy == ""
}

// add returns the id of a schema's node; a definition gets its id before its fields, because types may hold themselves.
func (t *table) add(s spec.Schema) int {
	const prefix = "#/definitions/"
	if ref := s.Ref.String(); ref != "" {
		name := strings.TrimPrefix(ref, prefix)
		if id, ok := t.byName[name]; ok {
			return id
		}
		definition, ok := t.definitions[name]
		if !ok {
			panic("no definition " + name)
		}
		if definition.Ref.String() != "" || isPlain(&definition) {
			id := t.add(definition)
			t.byName[name] = id
			return id
		}
		id := len(t.nodes)
		t.byName[name] = id
		t.nodes = append(t.nodes, node{})
		t.nodes[id] = t.shape(definition)
		return id
	}
	if isPlain(&s) {
		return t.leaf()
	}
	return t.intern(t.shape(s))
}

func (t *table) shape(s spec.Schema) node {
	n := node{rest: none}
	n.strategy, n.keys = (&openapi.ResourceSchema{Schema: &s}).PatchStrategyAndKeyList()
	for name, property := range s.Properties {
		n.fields = append(n.fields, field{name, t.add(property)})
	}
	sort.Slice(n.fields, func(i, j int) bool { return n.fields[i].name < n.fields[j].name })
	n.array = len(s.Type) == 1 && s.Type[0] == "array"
	switch {
	case n.array && s.Items != nil && s.Items.Schema != nil:
		n.rest = t.add(*s.Items.Schema)
	case !n.array && s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil:
		n.rest = t.add(*s.AdditionalProperties.Schema)
	}
	return n
}

type kind struct {
	apiVersion, kind string
	node             int
	scope            int // 0 not known, 1 of the cluster, 2 namespaced
}

func gvks(s spec.Schema) []kind {
	var found []kind
	extension, _ := s.Extensions["x-kubernetes-group-version-kind"].([]interface{})
	for _, e := range extension {
		m := e.(map[string]interface{})
		apiVersion := m["version"].(string)
		if g, ok := m["group"].(string); ok && g != "" {
			apiVersion = g + "/" + apiVersion
		}
		found = append(found, kind{apiVersion: apiVersion, kind: m["kind"].(string), node: none})
	}
	return found
}

// scopes reads kyaml's own precomputed list; it is not exported.
func scopes() map[[2]string]int {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kustomize/kyaml").Output()
	check(err)
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "openapi", "openapi.go"))
	check(err)
	found := map[[2]string]int{}
	line := regexp.MustCompile(`\{APIVersion: "([^"]*)", Kind: "([^"]*)"\}: +(true|false)`)
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		scope := 1
		if m[3] == "true" {
			scope = 2
		}
		found[[2]string{m[1], m[2]}] = scope
	}
	return found
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newTable(definitions map[string]spec.Schema) (*table, []kind) {
	t := &table{definitions: definitions, byName: map[string]int{}, byShape: map[string]int{}}
	t.leaf()
	byType := map[[2]string]kind{}
	names := make([]string, 0, len(definitions))
	for name := range definitions {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, k := range gvks(definitions[name]) {
			// A type that several definitions claim is the one kyaml meets last: order of a Go map. None is written.
			if _, twice := byType[[2]string{k.apiVersion, k.kind}]; twice {
				fmt.Fprintln(os.Stderr, "several definitions of", k.apiVersion, k.kind)
			}
			k.node = t.add(spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef("#/definitions/" + name)}})
			byType[[2]string{k.apiVersion, k.kind}] = k
		}
	}
	for _, name := range names {
		t.add(spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef("#/definitions/" + name)}})
	}
	kinds := []kind{}
	for _, k := range byType {
		kinds = append(kinds, k)
	}
	sort.Slice(kinds, func(i, j int) bool {
		if kinds[i].apiVersion != kinds[j].apiVersion {
			return kinds[i].apiVersion < kinds[j].apiVersion
		}
		return kinds[i].kind < kinds[j].kind
	})
	return t, kinds
}

// texts is a pool of zero-terminated words.
type texts struct {
	offsets map[string]int
	words   []string
	size    int
}

func (p *texts) at(word string) int {
	if at, ok := p.offsets[word]; ok {
		return at
	}
	at := p.size
	p.offsets[word] = at
	p.words = append(p.words, word)
	p.size += len(word) + 1
	return at
}

type writer struct {
	out  *bufio.Writer
	line int
}

func (w *writer) put(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if w.line+len(text) > 116 {
		fmt.Fprintln(w.out)
		w.line = 0
	}
	if w.line == 0 {
		text = "    " + text
	}
	fmt.Fprint(w.out, text)
	w.line += len(text)
}

func (w *writer) end() {
	if w.line != 0 {
		fmt.Fprintln(w.out)
	}
	w.line = 0
	fmt.Fprintln(w.out, "};")
}

func write(t *table, kinds []kind) {
	pool := &texts{offsets: map[string]int{}}
	pool.at("")
	lists := [][]string{{}}
	listOf := func(keys []string) int {
		for i, known := range lists {
			if strings.Join(known, "\x00") == strings.Join(keys, "\x00") && len(known) == len(keys) {
				return i
			}
		}
		lists = append(lists, keys)
		return len(lists) - 1
	}
	fields := 0
	for _, n := range t.nodes {
		fields += len(n.fields)
	}

	w := &writer{out: bufio.NewWriter(os.Stdout)}
	fmt.Fprintln(w.out, "// Written by scripts/make_schema_table from the OpenAPI document in kyaml v0.21.1 (Kubernetes 1.21.2).")
	fmt.Fprintf(w.out, "// %d kinds, %d types, %d fields. Included by schema_table.cpp only.\n", len(kinds), len(t.nodes), fields)
	fmt.Fprintln(w.out, "constexpr BuiltinField kFields[] = {")
	for _, n := range t.nodes {
		for _, f := range n.fields {
			w.put("{%d,%d},", pool.at(f.name), f.node)
		}
	}
	w.end()
	fmt.Fprintln(w.out, "constexpr BuiltinType kTypes[] = {")
	first := 0
	for _, n := range t.nodes {
		array := 0
		if n.array {
			array = 1
		}
		w.put("{%d,%d,%d,%d,%d,%d},", first, len(n.fields), n.rest, pool.at(n.strategy), listOf(n.keys), array)
		first += len(n.fields)
	}
	w.end()
	fmt.Fprintln(w.out, "constexpr BuiltinKind kKinds[] = {")
	for _, k := range kinds {
		w.put("{%d,%d,%d,%d},", pool.at(k.apiVersion), pool.at(k.kind), k.node, k.scope)
	}
	w.end()
	fmt.Fprintln(w.out, "constexpr BuiltinDefinition kDefinitions[] = {")
	definitions := make([]string, 0, len(t.definitions))
	for name := range t.definitions {
		definitions = append(definitions, name)
	}
	sort.Strings(definitions)
	for _, name := range definitions {
		id := t.add(spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef("#/definitions/" + name)}})
		w.put("{%d,%d},", pool.at(name), id)
	}
	w.end()
	fmt.Fprintln(w.out, "constexpr std::string_view kKeyLists[][4] = {")
	for _, keys := range lists {
		if len(keys) > 4 {
			panic("too many merge keys")
		}
		w.put("{%s},", strings.Join(quoted(keys), ", "))
	}
	w.end()
	fmt.Fprintln(w.out, "constexpr char kWords[] =")
	for _, word := range pool.words {
		w.put("%q", word+"\x00")
	}
	fmt.Fprintln(w.out, ";")
	check(w.out.Flush())
	fmt.Fprintf(os.Stderr, "%d kinds, %d types, %d fields, %d bytes of words: %d bytes\n", len(kinds), len(t.nodes), fields,
		pool.size, len(kinds)*8+len(t.nodes)*10+fields*4+len(t.definitions)*4+pool.size)
}

func quoted(words []string) []string {
	out := []string{}
	for _, w := range words {
		out = append(out, fmt.Sprintf("%q", w))
	}
	return out
}

// merged lists "apps/v1 Deployment spec.template.spec.containers: name" for every list that is merged.
func merged(t *table, kinds []kind) map[string]string {
	found := map[string]string{}
	for _, k := range kinds {
		var walk func(id int, path string, seen []int)
		walk = func(id int, path string, seen []int) {
			if id == none {
				return
			}
			for _, s := range seen {
				if s == id {
					return
				}
			}
			n := t.nodes[id]
			if strings.Contains(n.strategy, "merge") {
				found[k.apiVersion+" "+k.kind+" "+path] = strings.Join(n.keys, ",")
			}
			seen = append(seen[:len(seen):len(seen)], id)
			for _, f := range n.fields {
				walk(f.node, path+"."+f.name, seen)
			}
			if n.array {
				walk(n.rest, path+"[]", seen)
			}
		}
		walk(k.node, "", nil)
	}
	return found
}

func compare(path string, ours map[string]string, kinds []kind) {
	text, err := os.ReadFile(path)
	check(err)
	var document spec.Swagger
	check(json.Unmarshal(text, &document))
	t, theirKinds := newTable(document.Definitions)
	theirs := merged(t, theirKinds)
	known := map[string]bool{}
	for _, k := range kinds {
		known[k.apiVersion+" "+k.kind] = true
	}
	lines := []string{}
	unknown := map[string]int{}
	for place, keys := range theirs {
		parts := strings.SplitN(place, " ", 3)
		mine, ok := ours[place]
		switch {
		case !known[parts[0]+" "+parts[1]]:
			unknown[parts[0]+" "+parts[1]]++
		case !ok:
			lines = append(lines, "new      "+place+" by "+keys)
		case mine != keys:
			lines = append(lines, "changed  "+place+" from "+mine+" to "+keys)
		}
	}
	for place := range ours {
		parts := strings.SplitN(place, " ", 3)
		still := false
		for _, k := range theirKinds {
			still = still || k.apiVersion+" "+k.kind == parts[0]+" "+parts[1]
		}
		if _, ok := theirs[place]; !ok && still {
			lines = append(lines, "gone     "+place)
		}
	}
	for k, n := range unknown {
		lines = append(lines, fmt.Sprintf("kind     %s: %d lists", k, n))
	}
	sort.Strings(lines)
	fmt.Println(strings.Join(lines, "\n"))
}

func main() {
	other := flag.String("compare", "", "OpenAPI v2 document to compare with")
	flag.Parse()
	t, kinds := newTable(openapi.Schema().Definitions)
	if *other != "" {
		compare(*other, merged(t, kinds), kinds)
		return
	}
	byScope := scopes()
	for i := range kinds {
		key := [2]string{kinds[i].apiVersion, kinds[i].kind}
		kinds[i].scope = byScope[key]
		delete(byScope, key)
	}
	for key, scope := range byScope {
		kinds = append(kinds, kind{key[0], key[1], none, scope})
	}
	sort.Slice(kinds, func(i, j int) bool {
		if kinds[i].apiVersion != kinds[j].apiVersion {
			return kinds[i].apiVersion < kinds[j].apiVersion
		}
		return kinds[i].kind < kinds[j].kind
	})
	write(t, kinds)
}
