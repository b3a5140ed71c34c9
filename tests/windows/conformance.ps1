# The platform does what every platform has to: picture, pointer, keys, text, buttons, wheel.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

Write-Host (Invoke-Program (Get-TestTool 'windows-conformance'))
Write-Host 'ok: the platform conforms'
