package abi

import "testing"

func TestTheLibraryIsTheHeaders(t *testing.T) {
	if LibraryVersion() < Version {
		t.Errorf("the library has ABI %d, the package was made from %d", LibraryVersion(), Version)
	}
	for _, function := range Functions {
		if !Exports(function) {
			t.Errorf("the library does not export %s", function)
		}
	}
	if Exports("cwire_no_such_function") {
		t.Error("Exports says yes to anything")
	}
}

func TestSizesOffsetsAndConstants(t *testing.T) {
	for _, number := range append(Layout(), Constants...) {
		if number.Have != number.Want {
			t.Errorf("%s is %d, and not %d", number.Name, number.Have, number.Want)
		}
	}
}
