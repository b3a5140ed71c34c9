# How Windows starts the next time is set to each kind of safe mode and back, without a restart.
# Needs an administrator.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$helper = Get-TestTool 'windows-helper'
$runOnce = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce'
function Get-Boot { bcdedit.exe /enum '{current}' | Out-String }
if ((Get-Boot) -match 'safeboot') { throw 'this Windows starts in safe mode already' }
try {
    foreach ($kind in @(
            @{ Name = 'safe_mode'; Value = 'Minimal'; Shell = $false },
            @{ Name = 'safe_mode_network'; Value = 'Network'; Shell = $false },
            @{ Name = 'safe_mode_prompt'; Value = 'Network'; Shell = $true })) {
        Invoke-Program $helper @('safe-mode', $kind.Name) | Out-Null
        $boot = Get-Boot
        Assert-True ($boot -match "safeboot\s+$($kind.Value)") "$($kind.Name) in '$boot'"
        Assert-Equal ($boot -match 'safebootalternateshell\s+Yes') $kind.Shell "the command prompt of $($kind.Name)"
        Assert-True ($null -ne (Get-Item $runOnce).GetValue('*GuruConnectSafeMode')) 'a way back without the agent'
    }
} finally {
    Invoke-Program $helper @('safe-mode', 'ordinary') | Out-Null
}
Assert-True ((Get-Boot) -notmatch 'safeboot') 'an ordinary start'
Assert-True ($null -eq (Get-Item $runOnce).GetValue('*GuruConnectSafeMode')) 'nothing left below RunOnce'
Write-Host 'ok: safe mode is set and forgotten'
exit 0
