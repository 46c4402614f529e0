package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func newServeCommand() *cobra.Command {
	c := defaultConfig()
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server until SIGTERM or SIGINT.

Every flag has an environment variable (POINTGATE_PUBLIC_URL for --public-url)
and a key in the file of --config (public_url). A flag beats the environment,
which beats the file.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				file = os.Getenv("POINTGATE_CONFIG")
			}
			if err := loadConfig(c, cmd.Flags(), file); err != nil {
				return err
			}
			for _, name := range strayVariables(cmd.Flags(), os.Environ()) {
				cmd.PrintErrf("pointgate: %s is no setting\n", name) // a warning: Kubernetes makes such names from services
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			return run(ctx, c, cmd.OutOrStdout())
		},
	}
	cmd.SetContext(context.Background())
	cmd.Flags().StringVar(&file, "config", "", "YAML file with the configuration")
	c.bind(cmd.Flags())
	return cmd
}
