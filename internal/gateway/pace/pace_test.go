package pace

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeysArePacedEachByItselfAndBounded(t *testing.T) {
	limits := New[int](Pace{0, 2})
	require.True(t, limits.Allow(0))
	require.True(t, limits.Allow(0))
	require.False(t, limits.Allow(0))
	require.True(t, limits.Allow(1), "another key")
	for key := range MostKeys + 10 {
		limits.Allow(key)
	}
	require.Len(t, limits.byKey, MostKeys)
	require.Equal(t, MostKeys, limits.recent.Len())
	require.True(t, limits.Allow(0), "forgotten, and anew")
}
