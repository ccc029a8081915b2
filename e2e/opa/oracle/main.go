// The oracle of the suites: reads a question a line, answers each in one line.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

type question struct {
	Modules     []string `json:"modules"`
	RegoVersion int      `json:"regoVersion"`
	Query       string   `json:"query"`
	// Rego text; wins over input, may hold sets.
	InputTerm string         `json:"inputTerm"`
	Input     any            `json:"input"`
	HasInput  bool           `json:"hasInput"`
	Data      map[string]any `json:"data"`
}

type answer struct {
	Wasm []byte `json:"wasm,omitempty"`
	// The bindings of each result; absent when there was an error.
	Bindings []map[string]any `json:"bindings"`
	Error    string           `json:"error,omitempty"`
	// The input as text that opa_eval reads.
	Input string `json:"input,omitempty"`
}

func main() {
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for scanner.Scan() {
		var asked question
		said := answer{}
		if err := util.UnmarshalJSON(scanner.Bytes(), &asked); err != nil {
			said.Error = err.Error()
		} else {
			said = reply(context.Background(), asked)
		}
		if err := out.Encode(said); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func reply(ctx context.Context, asked question) (said answer) {
	defer func() {
		if r := recover(); r != nil {
			said = answer{Error: fmt.Sprint("panic: ", r)}
		}
	}()
	version := ast.RegoV1
	if asked.RegoVersion == 0 {
		version = ast.RegoV0
	}
	options := []func(*rego.Rego){rego.Query(asked.Query), rego.SetRegoVersion(version)}
	for i, text := range asked.Modules {
		options = append(options, rego.Module(fmt.Sprintf("test-%d.rego", i), text))
	}
	compiled, err := rego.New(options...).Compile(ctx)
	if err != nil {
		return answer{Error: err.Error()}
	}
	said.Wasm = compiled.Bytes
	if asked.Data != nil {
		options = append(options, rego.Store(inmem.NewFromObject(asked.Data)))
	}
	if asked.InputTerm != "" {
		value := ast.MustParseTerm(asked.InputTerm).Value
		said.Input = value.String()
		options = append(options, rego.ParsedInput(value))
	} else if asked.HasInput {
		bytes, _ := json.Marshal(asked.Input)
		said.Input = string(bytes)
		options = append(options, rego.Input(asked.Input))
	}
	results, err := rego.New(options...).Eval(ctx)
	if err != nil {
		said.Error = err.Error()
		return said
	}
	said.Bindings = []map[string]any{}
	for _, result := range results {
		said.Bindings = append(said.Bindings, result.Bindings)
	}
	return said
}
