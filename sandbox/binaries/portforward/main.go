// Command portforward serves port-forwards to pods over SPDY and WebSocket,
// as a container runtime serves them to its kubelet. It listens on a Unix
// socket, and reaches pods through the sandbox's pod network, whose names for
// the loopback of a pod are UID:PORT.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

const (
	// Those of the kubelet and of the runtimes.
	idleTimeout           = 4 * time.Hour
	streamCreationTimeout = 30 * time.Second
	// What the other direction has left to end in, once one has ended.
	endTimeout = time.Second
	// For the pod network to reach the port of a pod.
	connectTimeout = 10 * time.Second
)

// podNetwork is the path of the socket where the pod network takes CONNECT.
type podNetwork string

type writeCloser interface{ CloseWrite() error }

func (network podNetwork) PortForward(ctx context.Context, _ string, uid string, port int32, stream io.ReadWriteCloser) error {
	connection, reader, err := network.dial(ctx, fmt.Sprintf("%s:%d", uid, port))
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d inside the pod: %w", port, err)
	}
	defer connection.Close()
	ended := make(chan error, 2)
	go func() {
		_, err := io.Copy(stream, reader)
		ended <- err
	}()
	go func() {
		_, err := io.Copy(connection, stream)
		if half, ok := connection.(writeCloser); ok {
			half.CloseWrite()
		}
		ended <- err
	}()
	first := <-ended
	select {
	case second := <-ended:
		return errors.Join(first, second)
	case <-time.After(endTimeout):
		return first
	}
}

// dial returns a reader beside the connection: it may hold the pod's first bytes.
func (network podNetwork) dial(ctx context.Context, address string) (net.Conn, io.Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", string(network))
	if err != nil {
		return nil, nil, err
	}
	// The pod network may accept and then say nothing. The deadline is for its answer alone.
	deadline, _ := ctx.Deadline()
	if err := connection.SetDeadline(deadline); err != nil {
		connection.Close()
		return nil, nil, err
	}
	reader := bufio.NewReader(connection)
	if err := connect(connection, reader, address); err != nil {
		connection.Close()
		return nil, nil, err
	}
	if err := connection.SetDeadline(time.Time{}); err != nil {
		connection.Close()
		return nil, nil, err
	}
	return connection, reader, nil
}

func connect(connection net.Conn, reader *bufio.Reader, address string) error {
	if _, err := fmt.Fprintf(connection, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", address, address); err != nil {
		return err
	}
	response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return syscall.ECONNREFUSED
	}
	return nil
}

func main() {
	socket := flag.String("listen", "", "Unix socket to listen on")
	network := flag.String("pod-network", "", "Unix socket of the pod network")
	flag.Parse()

	listener, err := net.Listen("unix", *socket)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", func(w http.ResponseWriter, r *http.Request) {
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(w, r, podNetwork(*network), r.PathValue("pod"), r.PathValue("uid"), options,
			idleTimeout, streamCreationTimeout, portforward.SupportedProtocols)
	})
	server := &http.Server{Handler: mux}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(stop, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
