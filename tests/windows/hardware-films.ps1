# The agent finds this machine's video encoder, packs a film with it in a process of its own, and
# says in one line how it did. Runners have no such hardware; there Microsoft's own encoder is
# talked to in the same way, where Media Foundation is installed.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

function Get-Verdict([string[]] $Arguments) {
    $said = Invoke-Program $Agent (@('film-probe') + $Arguments)
    Write-Host $said
    $verdict = $said | ConvertFrom-Json
    Assert-True ($verdict.says.Length -gt 0) 'words for people'
    $verdict
}

$missing = 'there is no (Media Foundation( of Windows 8 or later)?|hardware encoder for H.264|software encoder for H.264)$'
$skipped = 0
foreach ($kind in 'hardware', 'software') {
    $arguments = @()
    if ($kind -eq 'software') { $arguments = @('--software') }
    $verdict = Get-Verdict $arguments
    if (-not $verdict.works -and $verdict.says -match $missing) {
        Write-Host "skipped: no $kind encoder"
        $skipped++
        continue
    }
    Assert-True $verdict.works "the $kind encoder packs a film, but: $($verdict.says)"
}
if ($skipped -eq 2) {
    Write-Host 'ok: a system without video encoders says so'
} else {
    Write-Host 'ok: encoders of Media Foundation pack films'
}
