module meshjoin.dev/test/verifier

go 1.23
