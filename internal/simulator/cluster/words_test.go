package clustersim

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoWordIsMissing(t *testing.T) {
	require.Len(t, allWords, 2)
	for lang, w := range allWords {
		v := reflect.ValueOf(w)
		for i := range v.NumField() {
			require.NotEmpty(t, v.Field(i).String(), "%s: %s", lang, v.Type().Field(i).Name)
		}
	}
}
