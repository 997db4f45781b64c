"""The declarations of chargewire.py, judged by a C compiler and by the list of symbols.

    abi_test.py HEADER SYMBOLS CC
"""
import ctypes
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import chargewire

HEADER = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
CODE = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)  # without comments
SYMBOLS = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").split()
CC = sys.argv[3]
STRUCTURES = {name: re.findall(r"(\w+)(?:\[\w+\])?;", body)
              for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", CODE, re.DOTALL)}
CONSTANTS = [(prefix, name) for prefix, name in re.findall(r"#define (CWIRE_[A-Z]+)_(\w+) +\(?-?\d+u?\)?\s", CODE)]
ENUMS = {"CWIRE_E": chargewire.Status, "CWIRE_STATE": chargewire.State, "CWIRE_PHASE": chargewire.Phase, "CWIRE_FLAG": chargewire.Flag,
         "CWIRE_SECURITY": chargewire.SecurityEvent, "CWIRE_EVENT": chargewire.EventType, "CWIRE_BREAKER": chargewire.Breaker}
SCALARS = {"size_t": ctypes.c_size_t, "uintptr_t": ctypes.c_size_t, "intptr_t": ctypes.c_ssize_t, "uint32_t": ctypes.c_uint32,
           "int32_t": ctypes.c_int32, "uint64_t": ctypes.c_uint64, "uint16_t": ctypes.c_uint16, "cwire_status": ctypes.c_int32}


def measured():
    """What a C program prints of each structure, field and constant."""
    lines = ["#include <chargewire/chargewire.h>", "#include <stdio.h>", "int main(void) {"]
    for name, fields in STRUCTURES.items():
        lines.append(f'printf("{name} %zu %zu\\n", sizeof({name}), _Alignof({name}));')
        lines += [f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));' for field in fields]
    lines += [f'printf("{prefix}_{name} %lld 0\\n", (long long){prefix}_{name});' for prefix, name in CONSTANTS]
    with tempfile.TemporaryDirectory() as directory:
        program = f"{directory}/measure"
        include = pathlib.Path(sys.argv[1]).parents[1]
        subprocess.run([CC, "-x", "c", "-std=c11", f"-I{include}", "-o", program, "-"], input="\n".join([*lines, "}"]), text=True, check=True)
        output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return {name: (int(first), int(second)) for name, first, second in map(str.split, output.splitlines())}


class Abi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.measured = measured()

    def test_structures(self):
        self.assertEqual(len(STRUCTURES), 6)
        for name, fields in STRUCTURES.items():
            structure = getattr(chargewire, name)
            self.assertEqual((ctypes.sizeof(structure), ctypes.alignment(structure)), self.measured[name], name)
            self.assertEqual([field for field, _ in structure._fields_], fields)
            for field in fields:
                found = getattr(structure, field)
                self.assertEqual((found.offset, found.size), self.measured[f"{name}.{field}"], f"{name}.{field}")

    def test_constants(self):
        found = 0
        for prefix, name in CONSTANTS:
            if prefix in ENUMS:
                self.assertEqual(ENUMS[prefix][name], self.measured[f"{prefix}_{name}"][0], name)
                found += 1
            elif prefix == "CWIRE_LOG":  # their place in the option's choices
                self.assertIs(list(chargewire.LogLevel)[self.measured[f"{prefix}_{name}"][0]], chargewire.LogLevel[name])
        self.assertEqual(found, sum(len(list(enum)) for enum in ENUMS.values()) - 1)  # CWIRE_OK has no second word
        self.assertEqual(chargewire.ABI_VERSION, self.measured["CWIRE_ABI_VERSION"][0])

    def test_functions(self):
        declared = re.findall(r"CWIRE_API ([\w ]+?[ *]+)(cwire_\w+)\(([^)]*)\);", CODE)
        self.assertEqual(sorted(name for _, name, _ in declared), sorted(SYMBOLS))
        self.assertEqual(sorted(chargewire._FUNCTIONS), sorted(SYMBOLS))
        for result, name, parameters in declared:
            function = getattr(chargewire._cwire, name)
            self.assert_same(result.strip(), function.restype, name)
            types = [] if parameters.strip() == "void" else parameters.split(",")
            self.assertEqual(len(function.argtypes), len(types), name)
            for text, kind in zip(types, function.argtypes):
                self.assert_same(re.sub(r"\w+$", "", " ".join(text.split())).strip(), kind, name)

    def assert_same(self, text, kind, name):
        if text in SCALARS:
            self.assertIs(kind, SCALARS[text], name)
        elif "char" in text or "void" in text:
            self.assertIs(kind, ctypes.c_char_p, name)
        elif text.endswith("*"):  # to what it points, if that is of a size of its own
            pointee = text.replace("const ", "").rstrip("*").strip()
            wanted = SCALARS.get(pointee) or (ctypes.c_void_p if text.endswith("**") else getattr(chargewire, pointee, ctypes.c_void_p))
            self.assertIs(kind._type_, wanted, name)
        else:
            self.assertIs(kind, ctypes.c_void_p, f"{name}: {text}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
