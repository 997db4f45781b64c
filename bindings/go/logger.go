package chargewire

import "log"

// Logger takes the lines of the library's log, those that WithLogLevel lets through. It is called by the goroutine that takes the
// events, one line at a time, so it must be quick, and must wait for nothing of the manager. station is empty where a line is not
// about one.
type Logger interface {
	Log(level LogLevel, station, line string)
}

// LoggerFunc is a function as a Logger.
type LoggerFunc func(level LogLevel, station, line string)

// Log calls the function.
func (f LoggerFunc) Log(level LogLevel, station, line string) { f(level, station, line) }

// StdLogger writes to a logger of the standard library: the level, then the line.
func StdLogger(logger *log.Logger) Logger {
	return LoggerFunc(func(level LogLevel, _, line string) { logger.Printf("%s: %s", level, line) })
}

// WithLogger hands the library's log to logger. Without one it arrives as EventLog.
func WithLogger(logger Logger) ManagerOption {
	return optionFunc(func(s *settings) { s.logger = logger })
}
