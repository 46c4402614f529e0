// Command pointgate is an OAuth2 authorization server, a policy decision point,
// the points API that it protects, and the audit trail of every decision, in
// one program. See `pointgate --help` and docs/.
package main

import "os"

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }
