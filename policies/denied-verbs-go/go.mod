module portcullis.dev/policies/denied-verbs-go

go 1.24
