// Command kube-apiserver is the real Kubernetes API server with an etcd in the same process,
// for the end-to-end suites: one binary, nothing else to install or to clean up.
//
// Arguments belong to kube-apiserver, so etcd is set up by the environment:
//
//	E2E_ETCD_DIR           data folder, created when missing
//	E2E_ETCD_CLIENT        client URL on the loopback, to be repeated in --etcd-servers
//	E2E_ETCD_PEER          peer URL on the loopback
//	E2E_EXIT_WITH_STDIN    when set, the end of standard input ends the process
package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const etcdReadyWithin = 60 * time.Second

func main() {
	// A test process that is killed cannot clean up, but its end of the pipe closes.
	if os.Getenv("E2E_EXIT_WITH_STDIN") != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
	}
	// `--version`, `--help` and the like need no store.
	if os.Getenv("E2E_ETCD_DIR") != "" {
		if err := startEtcd(); err != nil {
			fmt.Fprintln(os.Stderr, "embedded etcd:", err)
			os.Exit(1)
		}
	}
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}

func startEtcd() error {
	client, err := urlFromEnvironment("E2E_ETCD_CLIENT")
	if err != nil {
		return err
	}
	peer, err := urlFromEnvironment("E2E_ETCD_PEER")
	if err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir = os.Getenv("E2E_ETCD_DIR")
	config.ListenClientUrls = []url.URL{*client}
	config.AdvertiseClientUrls = []url.URL{*client}
	config.ListenPeerUrls = []url.URL{*peer}
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "error"
	// Unset it means zero here, and every request is reported as slow.
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	// The data never outlives a test run.
	config.UnsafeNoFsync = true
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	select {
	case <-server.Server.ReadyNotify():
		return nil
	case err := <-server.Err():
		return err
	case <-time.After(etcdReadyWithin):
		server.Close()
		return fmt.Errorf("not ready within %s", etcdReadyWithin)
	}
}

func urlFromEnvironment(name string) (*url.URL, error) {
	parsed, err := url.Parse(os.Getenv(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if parsed.Scheme != "http" || parsed.Host == "" {
		return nil, fmt.Errorf("%s must be a URL like http://127.0.0.1:2379", name)
	}
	return parsed, nil
}
