// A call by Cordboard, in Go: dial, say something, hang up.
//
//	go run . -to +12025550100 -from +12025550199 -connection demo
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	cordboard "example.com/cordboard/gen/cordboard/v1"
)

const (
	tries    = 5
	patience = 90 * time.Second // A deadline bounds only the wait; what was accepted goes on.
)

func main() {
	target := flag.String("target", "127.0.0.1:50051", "where Cordboard's gRPC port is")
	to := flag.String("to", "+12025550100", "who is called")
	from := flag.String("from", "+12025550199", "the number that calls")
	connection := flag.String("connection", "demo", "the connection at Telnyx")
	flag.Parse()

	channel, err := grpc.NewClient(*target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()
	client := cordboard.NewDispatcherServiceClient(channel)

	dial := &cordboard.Command_Dial{Dial: &cordboard.Dial{
		To: to, FromNumber: *from, ConnectionId: *connection,
	}}
	answered := execute(client, &cordboard.Command{Action: dial})
	call := answered.GetResult().GetDialed()[0].GetCallControlId()

	speak := &cordboard.Command_Speak{Speak: &cordboard.Speak{
		Payload: "Good morning.", Voice: "female", Language: proto.String("en-US"),
	}}
	execute(client, &cordboard.Command{CallControlId: call, Action: speak})

	hangup := &cordboard.Command_Hangup{Hangup: &cordboard.Hangup{}}
	execute(client, &cordboard.Command{CallControlId: call, Action: hangup})
}

// execute sends a command until it is known what became of it. The id is chosen before the first try and kept for all
// others: so the command is never two, however often it is sent. It ends the program where the command did not succeed.
func execute(client cordboard.DispatcherServiceClient, command *cordboard.Command) *cordboard.ExecuteResponse {
	command.CommandId = uuid.NewString()
	request := &cordboard.ExecuteRequest{Command: command, WaitFor: cordboard.WaitFor_WAIT_FOR_COMPLETION}
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		answer, err := client.Execute(ctx, request)
		cancel()
		switch code := status.Code(err); {
		case err == nil:
			report(answer)
			return answer
		case try == tries || (code != codes.Unavailable && code != codes.DeadlineExceeded):
			log.Fatal(err)
		}
		time.Sleep(time.Duration(try) * 500 * time.Millisecond)
	}
}

func report(answer *cordboard.ExecuteResponse) {
	result, completion := answer.GetResult(), answer.GetCompletion()
	if result.GetState() != cordboard.State_STATE_SUCCEEDED {
		log.Fatalf("%s %s: %s", result.GetAction(), result.GetState(), result.GetReason())
	}
	fmt.Println(result.GetAction(), result.GetState(), completion.GetState(), completion.GetEventType())
}
