// semverexec checks versions against constraints with Masterminds/semver v3, as Helm does.
// In   {"id","constraint","version"}; an empty constraint only parses the version
// Out  {"id","ok","err"}; err is the reason a version is refused, or the parse error
package main

import (
	"encoding/json"
	"errors"

	"github.com/Masterminds/semver/v3"

	"holdfast/tests/oracle/internal/jsonl"
)

type request struct {
	ID         json.RawMessage `json:"id"`
	Constraint string          `json:"constraint"`
	Version    string          `json:"version"`
}

type answer struct {
	ID  json.RawMessage `json:"id"`
	OK  bool            `json:"ok"`
	Err string          `json:"err"`
}

func check(r request) answer {
	version, err := semver.NewVersion(r.Version)
	if err != nil {
		return answer{ID: r.ID, Err: err.Error()}
	}
	if r.Constraint == "" {
		return answer{ID: r.ID, OK: true}
	}
	constraint, err := semver.NewConstraint(r.Constraint)
	if err != nil {
		return answer{ID: r.ID, Err: err.Error()}
	}
	ok, reasons := constraint.Validate(version)
	a := answer{ID: r.ID, OK: ok}
	if err := errors.Join(reasons...); err != nil && !ok {
		a.Err = err.Error()
	}
	return a
}

func main() { jsonl.Serve(check) }
