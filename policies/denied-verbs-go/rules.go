package main

import (
	"errors"
	"fmt"
	"slices"
)

type review struct {
	Spec spec `json:"spec"`
}

type spec struct {
	User               string              `json:"user"`
	Groups             []string            `json:"groups"`
	ResourceAttributes *resourceAttributes `json:"resourceAttributes"`
}

type resourceAttributes struct {
	Verb        string `json:"verb"`
	Group       string `json:"group"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource"`
}

type status struct {
	Allowed bool   `json:"allowed"`
	Denied  bool   `json:"denied,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

type settings struct {
	Rules []rule `json:"rules"`
}

// rule denies verbs on resources to the members of a group. "*" is every verb or resource.
type rule struct {
	Group     string   `json:"group"`
	Verbs     []string `json:"verbs"`
	Resources []string `json:"resources"`
}

func (s *settings) check() error {
	if s == nil || len(s.Rules) == 0 {
		return errors.New("setting `rules` must be a list with at least one rule")
	}
	for index, rule := range s.Rules {
		if rule.Group == "" || len(rule.Verbs) == 0 || len(rule.Resources) == 0 {
			return fmt.Errorf("setting `rules[%d]` needs `group`, `verbs` and `resources`", index)
		}
	}
	return nil
}

// decide denies or has no opinion; allowing is the business of others, such as RBAC.
func (s *settings) decide(asked spec) status {
	attributes := asked.ResourceAttributes
	if attributes == nil {
		return status{}
	}
	for _, rule := range s.Rules {
		if slices.Contains(asked.Groups, rule.Group) && rule.covers(attributes) {
			return status{Denied: true, Reason: rule.reason(attributes)}
		}
	}
	return status{}
}

// covers is strict the other way round: who asks for every verb or every resource asks for the denied ones too.
func (r rule) covers(asked *resourceAttributes) bool {
	return names(r.Verbs, asked.Verb) && names(r.Resources, asked.path())
}

func names(patterns []string, asked string) bool {
	return asked == "*" || slices.Contains(patterns, asked) || slices.Contains(patterns, "*")
}

// path is "pods", "pods/exec", "deployments.apps", "deployments.apps/scale".
func (a *resourceAttributes) path() string {
	path := a.Resource
	if a.Group != "" && a.Resource != "*" {
		path += "." + a.Group
	}
	if a.Subresource != "" {
		path += "/" + a.Subresource
	}
	return path
}

func (r rule) reason(asked *resourceAttributes) string {
	return fmt.Sprintf("members of %s may not use %s on %s", r.Group, asked.Verb, asked.path())
}
