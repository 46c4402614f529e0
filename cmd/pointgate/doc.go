// Command pointgate is an OAuth2 authorization server, a policy decision point,
// the points API that it protects, and the audit trail of every decision, in
// one program. See `pointgate --help` and docs/.
//
// It owns the command line, the configuration ([Config] is its reference), the
// wiring of all rooms by hand (run.go), and the demo. It refuses to start with
// what can't work or isn't safe, in one clear line and with exit code 2.
//
// # To add a setting
//
//   - its field in [Config], with a comment that names unit, default and danger
//   - its default in defaultConfig, its flag in bind; the environment variable
//     and the key of the file follow from them
//   - what is refused about it, in check, with a case in config_test.go
//   - its line in docs/pointgate.example.yaml and in docs/configuration.md
//
// # To add a command
//
//   - <command>.go with a constructor that returns a *cobra.Command; its RunE
//     returns usage, failed or refused, which are the exit codes 2, 1 and 3
//   - its place in newRootCommand
//   - its paragraph in docs/admins.md or docs/operations.md, and a test
//
// # To add a noun
//
// A noun is a kind of object that the admin API keeps.
//
//   - its entry in nouns (nouns.go): its path, its verbs, its columns, and a
//     member for each field that a flag sets; the commands are made from it
//   - a case in nouns_test.go
//
// # To add a check to doctor
//
//   - its function in doctor_checks.go: it says what it found, also when it
//     fails, and changes nothing
//   - its line in checks (doctor.go), behind what it needs
//   - a broken folder or database in store_commands_test.go that it finds
package main
