// Command denied-verbs-go is an authorizer: members of a group may not use some verbs, whatever else allows them. It reads one
// SubjectAccessReview from standard input and writes its answer to standard output.
package main

import (
	"encoding/json"
	"io"
	"os"
)

type envelope struct {
	Request  review    `json:"request"`
	Settings *settings `json:"settings"`
}

type answer struct {
	Response *response `json:"response"`
	Error    string    `json:"error,omitempty"`
}

type response struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Status     status `json:"status"`
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	// Errors are told in the answer, which is what the host shows; a panic would only say that something was wrong.
	if err := json.NewEncoder(os.Stdout).Encode(judge(input)); err != nil {
		fail(err)
	}
}

func judge(input []byte) answer {
	var given envelope
	if err := json.Unmarshal(input, &given); err != nil {
		return answer{Error: "cannot read the request: " + err.Error()}
	}
	if err := given.Settings.check(); err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Response: &response{
		APIVersion: "authorization.k8s.io/v1",
		Kind:       "SubjectAccessReview",
		Status:     given.Settings.decide(given.Request.Spec),
	}}
}

func fail(err error) {
	os.Stderr.WriteString(err.Error() + "\n")
	os.Exit(1)
}
