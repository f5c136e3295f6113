// make_default_config writes modules/kustomize/default_config.inc: the fields that kustomize 5.8.1 changes by default.
//
//	cd scripts/make_default_config && go run . >../../modules/kustomize/default_config.inc
//
// The specifications stand in an internal package of kustomize's api module, so they are taken from its sources, and
// sorted here with Go's own sort, whose order of equal elements is part of the result.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"
)

type references struct {
	resid.Gvk `json:",inline,omitempty"`
	Referrers types.FsSlice `json:"fieldSpecs,omitempty"`
}

type byKind []references

func (s byKind) Len() int           { return len(s) }
func (s byKind) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s byKind) Less(i, j int) bool { return s[i].Gvk.IsLessThan(s[j].Gvk) }

type config struct {
	NamePrefix        types.FsSlice `json:"namePrefix,omitempty"`
	NameSuffix        types.FsSlice `json:"nameSuffix,omitempty"`
	NameSpace         types.FsSlice `json:"namespace,omitempty"`
	CommonLabels      types.FsSlice `json:"commonLabels,omitempty"`
	TemplateLabels    types.FsSlice `json:"templateLabels,omitempty"`
	CommonAnnotations types.FsSlice `json:"commonAnnotations,omitempty"`
	NameReference     byKind        `json:"nameReference,omitempty"`
	VarReference      types.FsSlice `json:"varReference,omitempty"`
	Images            types.FsSlice `json:"images,omitempty"`
	Replicas          types.FsSlice `json:"replicas,omitempty"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// specifications joins the constants in the order of kustomize's GetDefaultFieldSpecs.
func specifications() string {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kustomize/api").Output()
	check(err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/konfig/builtinpluginconsts/*.go"))
	check(err)
	constants := map[string]string{}
	// A constant may end in "` + otherFieldSpecs".
	constant := regexp.MustCompile("(\\w+FieldSpecs)\\s*=\\s*`([^`]*)`(?: \\+ (\\w+FieldSpecs))?")
	added := map[string]string{}
	order := []string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		for _, m := range constant.FindAllStringSubmatch(string(text), -1) {
			constants[m[1]] = m[2]
			added[m[1]] = m[3]
		}
		for _, m := range regexp.MustCompile(`\[\]byte\((\w+FieldSpecs)\)`).FindAllStringSubmatch(string(text), -1) {
			order = append(order, m[1])
		}
	}
	parts := []string{}
	for _, name := range order {
		if constants[name] == "" {
			check(fmt.Errorf("no constant %s", name))
		}
		parts = append(parts, constants[name]+constants[added[name]])
	}
	return strings.Join(parts, "\n")
}

func main() {
	var c config
	check(yaml.UnmarshalStrict([]byte(specifications()), &c))
	sort.Sort(c.NameReference)

	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "// Written by scripts/make_default_config from kustomize's api v0.21.1. Included by default_config.cpp only.")
	write := func(name string, specs types.FsSlice) {
		fmt.Fprintf(out, "constexpr std::array<Spec, %d> %s{{\n", len(specs), name)
		for _, s := range specs {
			fmt.Fprintf(out, "    {%q, %q, %q, %q, %v},\n", s.Group, s.Version, s.Kind, s.Path, s.CreateIfNotPresent)
		}
		fmt.Fprintln(out, "}};")
	}
	for _, list := range []struct {
		name  string
		specs types.FsSlice
	}{
		{"kNamePrefix", c.NamePrefix}, {"kNameSuffix", c.NameSuffix}, {"kNamespace", c.NameSpace},
		{"kCommonLabels", c.CommonLabels}, {"kTemplateLabels", c.TemplateLabels},
		{"kCommonAnnotations", c.CommonAnnotations}, {"kVarReference", c.VarReference}, {"kImages", c.Images},
		{"kReplicas", c.Replicas},
	} {
		sort.Sort(list.specs)
		write(list.name, list.specs)
	}
	// kustomize sorts the kinds that are referred to, not who refers to them.
	all := types.FsSlice{}
	for _, r := range c.NameReference {
		all = append(all, r.Referrers...)
	}
	write("kReferrers", all)
	fmt.Fprintln(out, "constexpr References kNameReference[] = {")
	for _, r := range c.NameReference {
		fmt.Fprintf(out, "    {%q, %q, %q, %d},\n", r.Group, r.Version, r.Kind, len(r.Referrers))
	}
	fmt.Fprintln(out, "};")
	check(out.Flush())
}
