// Command pubsub serves the official in-memory Pub/Sub server of the Go client
// library (pstest) on a loopback port and prints its address, so that the
// sandbox has publish, pull, nack and redelivery without a container or Java.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"cloud.google.com/go/pubsub/v2/pstest"
)

func main() {
	server := pstest.NewServer()
	defer server.Close()
	fmt.Println(server.Addr)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
