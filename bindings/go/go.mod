module github.com/chargewire/chargewire/bindings/go

go 1.19
