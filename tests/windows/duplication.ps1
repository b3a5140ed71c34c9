# Where this Windows lets desktops be duplicated, the agent reads the screen that way, and what
# it reads is what GDI reads. Where not, it says why. Basic display drivers may not.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

Use-Picture $Agent {
    param($image, $said)
    $source = [regex]::Match($said, '(?m)^read by\s+(.*?)\s*$').Groups[1].Value
    if ($source -ne 'desktop duplication') {
        Assert-True ($source -match '^GDI \(desktop duplication: .+\)$') "a reason for GDI in '$source'"
        Assert-True ($source -notmatch 'being prepared') "an answer of Windows in '$source'"
        Write-Host "ok, but not compared: $source"
        return
    }

    $screen = [System.Windows.Forms.SystemInformation]::VirtualScreen
    if ($image.Width -ne $screen.Width -or $image.Height -ne $screen.Height) {
        Write-Host 'ok, but not compared: this display is scaled'
        return
    }
    $byGdi = New-Object System.Drawing.Bitmap @($screen.Width, $screen.Height)
    $graphics = [System.Drawing.Graphics]::FromImage($byGdi)
    try {
        $graphics.CopyFromScreen($screen.Location, [System.Drawing.Point]::Empty, $screen.Size)
        $same = 0
        $asked = 0
        # A clock or a caret may differ; a picture that is turned, shifted or black differs everywhere.
        for ($y = 4; $y -lt $image.Height; $y += 16) {
            for ($x = 4; $x -lt $image.Width; $x += 16) {
                $asked++
                $one = $image.GetPixel($x, $y)
                $other = $byGdi.GetPixel($x, $y)
                if ($one.R -eq $other.R -and $one.G -eq $other.G -and $one.B -eq $other.B) { $same++ }
            }
        }
        Assert-True ($same -ge 0.95 * $asked) "the same picture as GDI's, but $same of $asked points are"
    } finally { $graphics.Dispose(); $byGdi.Dispose() }
    Write-Host 'ok: the screen is read by desktop duplication'
}
