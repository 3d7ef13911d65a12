// Command verifier says what Go's crypto/x509, which istiod and every Go client
// judge by, makes of certificates. Its arguments are PEM files, three for each:
// the roots, what may stand between, the certificate. For each it prints a
// line: "ok", or why not.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
)

func main() {
	files := os.Args[1:]
	if len(files)%3 != 0 {
		fmt.Fprintln(os.Stderr, "usage: verifier [ROOTS BETWEEN CERTIFICATE]...")
		os.Exit(2)
	}
	for triple := range slices.Chunk(files, 3) {
		if err := verify(triple[0], triple[1], triple[2]); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("ok")
	}
}

func verify(rootFile, betweenFile, certificateFile string) error {
	roots, err := read(rootFile)
	if err != nil {
		return err
	}
	between, err := read(betweenFile)
	if err != nil {
		return err
	}
	certificates, err := read(certificateFile)
	if err != nil {
		return err
	}
	if len(roots) == 0 || len(certificates) != 1 {
		return fmt.Errorf("%d roots and %d certificates", len(roots), len(certificates))
	}
	certificate := certificates[0]
	// Go takes a certificate that is itself a root for verified.
	if slices.ContainsFunc(roots, certificate.Equal) {
		if err := certificate.CheckSignatureFrom(certificate); err != nil {
			return err
		}
	}
	_, err = certificate.Verify(x509.VerifyOptions{
		Roots:         pool(roots),
		Intermediates: pool(between),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

func read(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var certificates []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return certificates, nil
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, certificate)
	}
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	made := x509.NewCertPool()
	for _, certificate := range certificates {
		made.AddCert(certificate)
	}
	return made
}
