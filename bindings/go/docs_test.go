package chargewire_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"testing"
)

// Whatever a user sees says what it is.
func TestEverythingIsDocumented(t *testing.T) {
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", func(file fs.FileInfo) bool { return !strings.HasSuffix(file.Name(), "_test.go") }, parser.ParseComments)
	ok(t, err)
	seen := 0
	check := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		seen++
		for _, doc := range docs {
			if doc.Text() != "" {
				return
			}
		}
		t.Errorf("%s: %s is not documented", files.Position(name.Pos()), name.Name)
	}
	for _, file := range packages["chargewire"].Files {
		for _, declaration := range file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				check(declaration.Name, declaration.Doc)
			case *ast.GenDecl:
				for _, spec := range declaration.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						check(spec.Name, spec.Doc, declaration.Doc)
						if fields, is := spec.Type.(*ast.StructType); is {
							checkFields(fields, check)
						}
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							check(name, spec.Doc, declaration.Doc)
						}
					}
				}
			}
		}
	}
	if seen < 300 {
		t.Errorf("only %d identifiers were found", seen)
	}
}

// What stands over several fields is about all of them.
func checkFields(fields *ast.StructType, check func(*ast.Ident, ...*ast.CommentGroup)) {
	var above *ast.CommentGroup
	for _, field := range fields.Fields.List {
		if field.Doc != nil {
			above = field.Doc
		}
		for _, name := range field.Names {
			check(name, above)
		}
	}
}
