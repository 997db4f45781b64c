package chargewire

// #include "native.h"
import "C"

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

// ManagerOption is what NewManager takes.
type ManagerOption interface {
	applyToManager(*settings)
}

// StationOption is what Connect, ConnectStation and Reconfigure take; NewManager takes it too, for all stations of the manager. An
// option of a station goes before that of its manager.
type StationOption interface {
	ManagerOption
	applyToStation(*settings)
}

// setting is a key of the library's and its value as text.
type setting struct{ key, value string }

// Format writes the key alone, whatever the verb: the value may be a secret.
func (s setting) Format(state fmt.State, _ rune) { fmt.Fprint(state, s.key) }

// settings are collected from options, in their order: of two for the same key the later one counts.
type settings struct {
	steps       []func(C.cwire_config, *C.cwire_error) C.cwire_status
	eventBuffer int
	logger      Logger
	err         error
}

type managerOption []setting

func (option managerOption) applyToManager(s *settings) { s.set(option) }

type stationOption []setting

func (option stationOption) applyToManager(s *settings) { s.set(option) }
func (option stationOption) applyToStation(s *settings) { s.set(option) }

type optionFunc func(*settings)

func (option optionFunc) applyToManager(s *settings) { option(s) }

// WithOption sets an option by its key in docs/configuration.md, "csms.ping_interval", and its value as text, "30s".
func WithOption(key, value string) StationOption { return stationOption{{key, value}} }

// WithConfigFile reads options from a YAML file. ${NAME} in a value is replaced by the environment variable NAME. Where it has
// `stations:`, Manager.ConnectAll connects them.
func WithConfigFile(path string) ManagerOption {
	return optionFunc(func(s *settings) {
		s.check("configuration file", path)
		s.steps = append(s.steps, func(config C.cwire_config, told *C.cwire_error) C.cwire_status {
			native := newText(path)
			defer native.free()
			return C.cwire_config_load_file(config, native.native, told)
		})
	})
}

// WithYAML reads options from YAML, as WithConfigFile does from a file.
func WithYAML(yaml string) ManagerOption {
	return optionFunc(func(s *settings) {
		s.steps = append(s.steps, func(config C.cwire_config, told *C.cwire_error) C.cwire_status {
			native := newText(yaml)
			defer native.free()
			return C.cwire_config_load_yaml(config, native.native, C.size_t(len(yaml)), told)
		})
	})
}

// WithEventBuffer sets how many events may wait in the channel of Manager.Events, besides those that wait in the library
// (WithEventQueueMax). Default 16384.
func WithEventBuffer(count int) ManagerOption {
	return optionFunc(func(s *settings) {
		if count < 1 {
			s.err = &Error{Status: ErrInvalidArgument, Message: "event buffer: must hold an event, not " + strconv.Itoa(count)}
			return
		}
		s.eventBuffer = count
	})
}

// TLSConfig has the names of the manager that this package replaces. A nil one sets nothing.
type TLSConfig struct {
	// Enabled makes ws:// URLs an error; wss:// ones need no more than themselves.
	Enabled bool
	// CACert, ClientCert and ClientKey are paths of PEM files; empty: not set.
	CACert, ClientCert, ClientKey string
	// InsecureSkipVerify accepts any certificate. For tests only.
	InsecureSkipVerify bool
}

func (c *TLSConfig) applyToManager(s *settings) { c.applyToStation(s) }

func (c *TLSConfig) applyToStation(s *settings) {
	if c == nil {
		return
	}
	if c.Enabled {
		s.set([]setting{{"csms.tls.enabled", "true"}})
	}
	if c.InsecureSkipVerify {
		s.set([]setting{{"csms.tls.insecure_skip_verify", "true"}})
	}
	s.setUnlessEmpty("csms.tls.ca_cert", c.CACert)
	s.setUnlessEmpty("csms.tls.client_cert", c.ClientCert)
	s.setUnlessEmpty("csms.tls.client_key", c.ClientKey)
}

// AuthConfig has the names of the manager that this package replaces. A nil one sets nothing.
type AuthConfig struct {
	// Type is "basic", "bearer", or "certificate" where the client certificate is all.
	Type string
	// Username and Password are for "basic".
	Username, Password string
	// Token is for "bearer".
	Token string
}

// Format writes the type and the user name, whatever the verb, and no secret.
func (c AuthConfig) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "{Type:%s Username:%s}", c.Type, c.Username)
}

func (c *AuthConfig) applyToManager(s *settings) { c.applyToStation(s) }

func (c *AuthConfig) applyToStation(s *settings) {
	if c == nil {
		return
	}
	kind := c.Type
	if kind == "certificate" {
		kind = string(AuthNone)
	}
	s.setUnlessEmpty("csms.auth.type", kind)
	s.setUnlessEmpty("csms.auth.username", c.Username)
	s.setUnlessEmpty("csms.auth.password", c.Password)
	s.setUnlessEmpty("csms.auth.token", c.Token)
}

func (s *settings) setUnlessEmpty(key, value string) {
	if value != "" {
		s.set([]setting{{key, value}})
	}
}

func (s *settings) check(what string, values ...string) {
	if s.err == nil {
		s.err = checkTexts(what, values...)
	}
}

func (s *settings) set(pairs []setting) {
	for _, pair := range pairs {
		pair := pair
		s.check(pair.key, pair.key, pair.value)
		s.steps = append(s.steps, func(config C.cwire_config, told *C.cwire_error) C.cwire_status {
			key, value := newText(pair.key), newText(pair.value)
			defer key.free()
			defer value.free()
			return C.cwire_config_set(config, key.native, value.native, told)
		})
	}
}

// newConfig is what the library takes. Whoever calls it frees it.
func (s *settings) newConfig() (C.cwire_config, error) {
	if s.err != nil {
		return nil, s.err
	}
	var config C.cwire_config
	if err := errorOf(C.cwire_config_new(&config), "configuration"); err != nil {
		return nil, err
	}
	for _, step := range s.steps {
		told := newNativeError()
		if err := toldError(step(config, &told), "configuration", &told); err != nil {
			freeConfig(config)
			return nil, err
		}
	}
	return config, nil
}

func freeConfig(config C.cwire_config) {
	if config != nil {
		C.cwire_config_free(config)
	}
}

// stationConfig is nil if there are no options: a fleet is connected without.
func stationConfig(options []StationOption) (C.cwire_config, error) {
	var s settings
	for _, option := range options {
		if option != nil {
			option.applyToStation(&s)
		}
	}
	if s.err == nil && len(s.steps) == 0 {
		return nil, nil
	}
	return s.newConfig()
}

func optionOf(config C.cwire_config, key string) (string, error) {
	if err := checkTexts("option", key); err != nil {
		return "", err
	}
	native := newText(key)
	defer native.free()
	return textOf(256, "option "+key, func(buffer *C.char, capacity C.size_t, needed *C.size_t) C.cwire_status {
		return C.cwire_config_get(config, native.native, buffer, capacity, needed)
	})
}

// ---- Values as the library reads them

func milliseconds(duration time.Duration) string {
	whole, rest := duration/time.Millisecond, duration%time.Millisecond
	if rest > 0 {
		whole++
	} else if rest < 0 { // so that it stays negative, and is refused
		whole--
	}
	return strconv.FormatInt(int64(whole), 10) + "ms"
}

func percent(ratio float64) string {
	// To a thousandth: what is given in decimals comes out in decimals.
	return strconv.FormatFloat(math.Round(ratio*1e5)/1e3, 'f', -1, 64) + "%"
}

func join[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = string(value)
	}
	return strings.Join(words, ",")
}

func stationOptionOf(key string, pairs map[string]string) StationOption {
	option := make(stationOption, 0, len(pairs))
	for name, value := range pairs {
		option = append(option, setting{key + "." + name, value})
	}
	sort.Slice(option, func(i, j int) bool { return option[i].key < option[j].key })
	return option
}
