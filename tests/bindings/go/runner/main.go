// The runner of Go: see ../../README.md.
//
//	runner channel|callbacks
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 2 || (os.Args[1] != "channel" && os.Args[1] != "callbacks") {
		fmt.Fprintln(os.Stderr, "usage: runner channel|callbacks")
		os.Exit(2)
	}
	life := lifecycle{callbacks: os.Args[1] == "callbacks", stations: make(map[string]*station)}
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		fmt.Println(life.carryOut(strings.Split(commands.Text(), "\t")))
	}
	if life.manager != nil {
		life.manager.Close()
	}
}
