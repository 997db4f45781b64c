module examples

go 1.19

require github.com/chargewire/chargewire/bindings/go v0.0.0

replace github.com/chargewire/chargewire/bindings/go => ../../bindings/go
