package chargewire

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Each sets its own key, to what the library reads as that.
func TestEachOption(t *testing.T) {
	for _, each := range eachOption {
		s := settings{}
		defaults, err := s.newConfig()
		if err != nil {
			t.Fatal(err)
		}
		before, err := optionOf(defaults, each.key)
		if before == each.value || (err != nil && each.value != "***") {
			t.Errorf("%s: the default is %q, %v", each.key, before, err)
		}
		freeConfig(defaults)
		each.option.applyToManager(&s)
		config, err := s.newConfig()
		if err != nil {
			t.Errorf("%s: %v", each.key, err)
			continue
		}
		if value, err := optionOf(config, each.key); err != nil || value != each.value {
			t.Errorf("%s reads %q, and not %q: %v", each.key, value, each.value, err)
		}
		freeConfig(config)
	}
}

func TestValues(t *testing.T) {
	for _, each := range []struct{ got, want string }{
		{milliseconds(1500 * time.Millisecond), "1500ms"},
		{milliseconds(time.Nanosecond), "1ms"},
		{milliseconds(0), "0ms"},
		{milliseconds(-time.Nanosecond), "-1ms"},
		{percent(0.2), "20%"},
		{percent(0.1 + 0.2), "30%"},
		{percent(0.125), "12.5%"},
		{join([]OCPPVersion{OCPP21, OCPP16}), "2.1,1.6"},
	} {
		if each.got != each.want {
			t.Errorf("%s, and not %s", each.got, each.want)
		}
	}
}

// The structures of the manager that came before, nil ones too.
func TestTLSAndAuthConfig(t *testing.T) {
	s := settings{}
	for _, option := range []StationOption{(*TLSConfig)(nil), (*AuthConfig)(nil), &AuthConfig{Type: "certificate"},
		&TLSConfig{Enabled: true, CACert: "ca.pem", ClientCert: "c.pem", ClientKey: "k.pem", InsecureSkipVerify: true},
		&AuthConfig{Type: "basic", Username: "CP1", Password: "secret", Token: "token"}} {
		option.applyToStation(&s)
	}
	config, err := s.newConfig()
	if err != nil {
		t.Fatal(err)
	}
	defer freeConfig(config)
	for key, want := range map[string]string{"csms.tls.enabled": "true", "csms.tls.ca_cert": "ca.pem", "csms.tls.client_cert": "c.pem",
		"csms.tls.client_key": "k.pem", "csms.tls.insecure_skip_verify": "true", "csms.auth.type": "basic", "csms.auth.username": "CP1",
		"csms.auth.password": "***", "csms.auth.token": "***"} {
		if value, err := optionOf(config, key); err != nil || value != want {
			t.Errorf("%s reads %q, and not %q: %v", key, value, want, err)
		}
	}
	if _, err := optionOf(config, "no.such"); err == nil || !strings.Contains(err.Error(), "no.such") {
		t.Errorf("an option that is none: %v", err)
	}
}

// Options and errors may end up in somebody's log.
func TestNoSecretIsShown(t *testing.T) {
	const secret = "hunter2"
	for _, shown := range []interface{}{WithOption("csms.auth.password", secret), WithAuthPassword(secret), AuthConfig{Password: secret},
		&AuthConfig{Token: secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, shown); strings.Contains(text, secret) {
				t.Errorf("%s shows %s", verb, text)
			}
		}
	}
	_, err := NewManager(WithAuthPassword(secret + "\x00"))
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
}
